#include "whisper_s4y/audio.h"

#include "c_api/callbacks.h"
#include "c_api/options.h"
#include "whisper_s4y/vad.h"

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

namespace {

void give_samples(const std::vector<float>& read, float** samples, size_t* count) {
  *samples = copy_array(std::span<const float>(read));
  *count = read.size();
}

}  // namespace

whisper_s4y_status whisper_s4y_load_audio(const char* path, const whisper_s4y_options* audio,
                                          float** samples, size_t* count) {
  return whisper_s4y_read_audio(path, audio, nullptr, samples, count);
}

whisper_s4y_status whisper_s4y_read_audio(const char* path, const whisper_s4y_options* audio,
                                          const whisper_s4y_callbacks* callbacks, float** samples,
                                          size_t* count) {
  return guarded_call([&] {
    needed(samples, "samples") = nullptr;
    needed(count, "count") = 0;
    give_samples(load_audio(needed_text(path, "path"), options_of<AudioOptions>(audio, "audio"),
                            Callbacks(callbacks).cancelled),
                 samples, count);
  });
}

whisper_s4y_status whisper_s4y_load_audio_memory(const void* file, size_t size,
                                                 const whisper_s4y_options* audio, float** samples,
                                                 size_t* count) {
  return whisper_s4y_read_audio_memory(file, size, audio, nullptr, samples, count);
}

whisper_s4y_status whisper_s4y_read_audio_memory(const void* file, size_t size,
                                                 const whisper_s4y_options* audio,
                                                 const whisper_s4y_callbacks* callbacks,
                                                 float** samples, size_t* count) {
  return guarded_call([&] {
    needed(samples, "samples") = nullptr;
    needed(count, "count") = 0;
    const auto bytes = numbers(static_cast<const std::byte*>(file), size, "file");
    give_samples(
        load_audio(Span<const std::byte>(bytes), "the recording in memory",
                   options_of<AudioOptions>(audio, "audio"), Callbacks(callbacks).cancelled),
        samples, count);
  });
}

whisper_s4y_status whisper_s4y_speech_timestamps(const float* samples, size_t count,
                                                 const whisper_s4y_options* vad,
                                                 whisper_s4y_speech** speech,
                                                 size_t* speech_count) {
  return whisper_s4y_find_speech(samples, count, vad, nullptr, speech, speech_count);
}

whisper_s4y_status whisper_s4y_find_speech(const float* samples, size_t count,
                                           const whisper_s4y_options* vad,
                                           const whisper_s4y_callbacks* callbacks,
                                           whisper_s4y_speech** speech, size_t* speech_count) {
  return guarded_call([&] {
    needed(speech, "speech") = nullptr;
    needed(speech_count, "speech_count") = 0;
    const Callbacks given(callbacks);
    const auto detector = make_speech_detector(given.on_warning);
    std::vector<whisper_s4y_speech> found;
    for (const SpeechSegment& segment :
         get_speech_timestamps(*detector, numbers(samples, count, "samples"),
                               options_of<VadOptions>(vad, "vad"), given.cancelled)) {
      found.push_back({segment.start, segment.end});
    }
    *speech = copy_array(std::span<const whisper_s4y_speech>(found));
    *speech_count = found.size();
  });
}
