#include "whisper_s4y/transcriber.h"

#include <nlohmann/json.hpp>

#include "c_api/callbacks.h"
#include "c_api/model.h"
#include "c_api/options.h"
#include "c_api/transcript.h"
#include "c_api/transcriptions.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y::c_api {

std::string languages_json(const std::vector<std::pair<std::string, float>>& languages) {
  Json json = Json::array();
  for (const auto& [code, probability] : languages) json.push_back({code, probability});
  return json_text(json);
}

}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

namespace {

TranscribeCallbacks transcribe_callbacks(const whisper_s4y_callbacks* callbacks) {
  Callbacks given(callbacks);
  TranscribeCallbacks result;
  if (given.c.on_segment != nullptr) {
    result.on_segment = [c = given.c](const Segment& segment) {
      const whisper_s4y_segment view = c_segment(segment);
      c.on_segment(c.user_data, &view);
    };
  }
  if (given.c.on_languages != nullptr) {
    result.on_languages = [c = given.c](const auto& languages) {
      c.on_languages(c.user_data, languages_json(languages).c_str());
    };
  }
  result.on_progress = std::move(given.on_progress);
  result.on_warning = std::move(given.on_warning);
  result.cancelled = std::move(given.cancelled);
  return result;
}

}  // namespace

whisper_s4y_status whisper_s4y_transcriber_create(const whisper_s4y_model* model,
                                                  whisper_s4y_transcriber** transcriber) {
  return whisper_s4y_transcriber_open(model, 0, transcriber);
}

whisper_s4y_status whisper_s4y_transcriber_open(const whisper_s4y_model* model, int threads,
                                                whisper_s4y_transcriber** transcriber) {
  return guarded_call([&] {
    needed(transcriber, "transcriber") = nullptr;
    SessionOptions options;
    options.threads = threads;
    *transcriber = new whisper_s4y_transcriber{Transcriber(needed(model, "model").model, options)};
  });
}

void whisper_s4y_transcriber_destroy(whisper_s4y_transcriber* transcriber) { delete transcriber; }

whisper_s4y_status whisper_s4y_transcribe(whisper_s4y_transcriber* transcriber,
                                          const float* samples, size_t count,
                                          const whisper_s4y_options* options,
                                          const whisper_s4y_callbacks* callbacks,
                                          whisper_s4y_transcript** transcript) {
  return guarded_call([&] {
    needed(transcript, "transcript") = nullptr;
    Transcriber& target = needed(transcriber, "transcriber").transcriber;
    *transcript = new whisper_s4y_transcript{target.transcribe(
        numbers(samples, count, "samples"), options_of<TranscribeOptions>(options, "options"),
        transcribe_callbacks(callbacks))};
  });
}

whisper_s4y_status whisper_s4y_transcribe_file(whisper_s4y_transcriber* transcriber,
                                               const char* path, const whisper_s4y_options* audio,
                                               const whisper_s4y_options* options,
                                               const whisper_s4y_callbacks* callbacks,
                                               whisper_s4y_transcript** transcript) {
  return guarded_call([&] {
    needed(transcript, "transcript") = nullptr;
    Transcriber& target = needed(transcriber, "transcriber").transcriber;
    const auto transcribe_options = options_of<TranscribeOptions>(options, "options");
    transcribe_options.validate();  // before anything is read
    AudioReader reader(needed_text(path, "path"), options_of<AudioOptions>(audio, "audio"));
    *transcript = new whisper_s4y_transcript{
        target.transcribe_channels(reader, transcribe_options, transcribe_callbacks(callbacks))};
  });
}

whisper_s4y_status whisper_s4y_detect_language(whisper_s4y_transcriber* transcriber,
                                               const float* samples, size_t count,
                                               const whisper_s4y_options* options, char** json) {
  return whisper_s4y_find_languages(transcriber, samples, count, options, nullptr, json);
}

whisper_s4y_status whisper_s4y_find_languages(whisper_s4y_transcriber* transcriber,
                                              const float* samples, size_t count,
                                              const whisper_s4y_options* options,
                                              const whisper_s4y_callbacks* callbacks, char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    *json = copy_text(languages_json(
        needed(transcriber, "transcriber")
            .transcriber.detect_language(numbers(samples, count, "samples"),
                                         options_of<TranscribeOptions>(options, "options"),
                                         transcribe_callbacks(callbacks))));
  });
}
