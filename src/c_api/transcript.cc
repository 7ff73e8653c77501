#include "c_api/transcript.h"

#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "c_api/boundary.h"
#include "c_api/options.h"
#include "common/parse_json.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y::c_api {

whisper_s4y_segment c_segment(const Segment& segment) {
  return {.struct_size = sizeof(whisper_s4y_segment),
          .id = segment.id,
          .seek = segment.seek,
          .start = segment.start,
          .end = segment.end,
          .text = segment.text.c_str(),
          .language = segment.language.c_str(),
          .channel = segment.channel.c_str(),
          .tokens = segment.tokens.data(),
          .token_count = segment.tokens.size(),
          .word_count = segment.words.size(),
          .temperature = segment.temperature,
          .avg_logprob = segment.avg_logprob,
          .compression_ratio = segment.compression_ratio,
          .no_speech_prob = segment.no_speech_prob,
          .object = &segment};
}

whisper_s4y_word c_word(const Word& word) {
  return {.struct_size = sizeof(whisper_s4y_word),
          .word = word.word.c_str(),
          .start = word.start,
          .end = word.end,
          .probability = word.probability};
}

namespace {

/// Checks that the options fit what the transcript has.
OutputOptions output_options(const whisper_s4y_options* output, const Transcript& transcript) {
  const OutputOptions options = options_of<OutputOptions>(output, "output");
  bool words = transcript.segments.empty();
  for (const Segment& segment : transcript.segments) words = words || !segment.words.empty();
  validate(options, words);
  return options;
}

using Fields = nlohmann::json;

/// A value in a message.
std::string shown(const Fields& value) {
  return value.dump(-1, ' ', false, Fields::error_handler_t::replace);
}

/// Throws Error when it is no list.
const Fields::array_t& items(const Fields& value) {
  if (!value.is_array()) {
    fail(ErrorCode::invalid_argument, "This is no transcript: {} is no list.", shown(value));
  }
  return value.get_ref<const Fields::array_t&>();
}

template <typename T>
void read(const Fields& value, T& target) {
  value.get_to(target);
}

// JSON has no word for a number that is none: the json format writes null.
template <std::floating_point T>
void read(const Fields& value, T& target) {
  target = value.is_null() ? std::numeric_limits<T>::quiet_NaN() : value.get<T>();
}

void read(const Fields& value, int& target) {
  const auto whole = value.get<int64_t>();
  if (!value.is_number_integer() || !std::in_range<int>(whole)) {
    fail(ErrorCode::invalid_argument, "This is no transcript: {} is no 32-bit integer.",
         value.dump());
  }
  target = static_cast<int>(whole);
}

void read(const Fields& value, std::vector<int>& target) {
  for (const Fields& item : items(value)) read(item, target.emplace_back());
}

template <typename T>
void read(const Fields& object, const char* name, T& target) {
  if (!object.is_object()) {
    fail(ErrorCode::invalid_argument, "This is no transcript: {} is no object.", shown(object));
  }
  const auto found = object.find(name);
  if (found == object.end()) return;
  try {
    read(*found, target);
  } catch (const Fields::type_error&) {
    fail(ErrorCode::invalid_argument, "This is no transcript: its \"{}\" cannot be {}.", name,
         shown(*found));
  }
}

Word word_of(const Fields& json) {
  Word word;
  read(json, "word", word.word);
  read(json, "start", word.start);
  read(json, "end", word.end);
  read(json, "probability", word.probability);
  return word;
}

Segment segment_of(const Fields& json) {
  Segment segment;
  read(json, "id", segment.id);
  read(json, "seek", segment.seek);
  read(json, "start", segment.start);
  read(json, "end", segment.end);
  read(json, "text", segment.text);
  read(json, "language", segment.language);
  read(json, "tokens", segment.tokens);
  read(json, "temperature", segment.temperature);
  read(json, "avg_logprob", segment.avg_logprob);
  read(json, "compression_ratio", segment.compression_ratio);
  read(json, "no_speech_prob", segment.no_speech_prob);
  read(json, "channel", segment.channel);
  if (const auto words = json.find("words"); words != json.end() && !words->is_null()) {
    for (const Fields& word : items(*words)) segment.words.push_back(word_of(word));
  }
  return segment;
}

Transcript transcript_of(const std::string& text) {
  // A long recording has many words: only how deep they are nested is limited.
  constexpr size_t kAny = std::numeric_limits<size_t>::max();
  const auto json = parse_json<Fields>(text, "The transcript", {.values = kAny, .names = kAny},
                                       ErrorCode::invalid_argument);
  if (json.is_discarded()) {
    fail(ErrorCode::invalid_argument, "This is no transcript: it is no JSON.");
  }
  if (!json.is_object() || !json.contains("segments")) {
    fail(ErrorCode::invalid_argument, "This is no transcript: it is no object with \"segments\".");
  }
  Transcript transcript;
  read(json, "text", transcript.text);
  read(json, "language", transcript.language);
  read(json, "language_probability", transcript.language_probability);
  read(json, "duration", transcript.duration);
  read(json, "duration_after_vad", transcript.duration_after_vad);
  read(json, "warnings", transcript.warnings);
  read(json, "is_cut", transcript.is_cut);
  for (const Fields& segment : items(json["segments"])) {
    transcript.segments.push_back(segment_of(segment));
  }
  return transcript;
}

}  // namespace
}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

whisper_s4y_status whisper_s4y_transcript_create(const char* json,
                                                 whisper_s4y_transcript** transcript) {
  return guarded_call([&] {
    needed(transcript, "transcript") = nullptr;
    *transcript = new whisper_s4y_transcript{transcript_of(needed_text(json, "json"))};
  });
}

void whisper_s4y_transcript_destroy(whisper_s4y_transcript* transcript) { delete transcript; }

const char* whisper_s4y_transcript_text(const whisper_s4y_transcript* transcript) {
  return transcript == nullptr ? "" : transcript->transcript.text.c_str();
}

const char* whisper_s4y_transcript_language(const whisper_s4y_transcript* transcript) {
  return transcript == nullptr ? "" : transcript->transcript.language.c_str();
}

double whisper_s4y_transcript_duration(const whisper_s4y_transcript* transcript) {
  return transcript == nullptr ? 0 : transcript->transcript.duration;
}

whisper_s4y_status whisper_s4y_transcript_info(const whisper_s4y_transcript* transcript,
                                               char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    const Transcript& source = needed(transcript, "transcript").transcript;
    *json = copy_text(json_text({{"language", source.language},
                                 {"language_probability", source.language_probability},
                                 {"duration", source.duration},
                                 {"duration_after_vad", source.duration_after_vad},
                                 {"is_cut", source.is_cut},
                                 {"warnings", source.warnings}}));
  });
}

size_t whisper_s4y_transcript_segments(const whisper_s4y_transcript* transcript) {
  return transcript == nullptr ? 0 : transcript->transcript.segments.size();
}

whisper_s4y_status whisper_s4y_transcript_segment(const whisper_s4y_transcript* transcript,
                                                  size_t index, whisper_s4y_segment* segment) {
  return guarded_call([&] {
    const auto& segments = needed(transcript, "transcript").transcript.segments;
    if (index >= segments.size()) {
      fail(ErrorCode::invalid_argument, "There is no segment {}: the transcript has {}.", index,
           segments.size());
    }
    give(segment, c_segment(segments[index]), "segment");
  });
}

whisper_s4y_status whisper_s4y_segment_word(const whisper_s4y_segment* segment, size_t index,
                                            whisper_s4y_word* word) {
  return guarded_call([&] {
    const whisper_s4y_segment known = taken(&needed(segment, "segment"), "segment");
    const auto* object = static_cast<const Segment*>(known.object);
    const auto& words = needed(object, "segment.object").words;
    if (index >= words.size()) {
      fail(ErrorCode::invalid_argument, "There is no word {}: the segment has {}.", index,
           words.size());
    }
    give(word, c_word(words[index]), "word");
  });
}

whisper_s4y_status whisper_s4y_transcript_format(const whisper_s4y_transcript* transcript,
                                                 const char* format,
                                                 const whisper_s4y_options* output, char** text) {
  return guarded_call([&] {
    needed(text, "text") = nullptr;
    const Transcript& source = needed(transcript, "transcript").transcript;
    *text = copy_text(format_transcript(source, output_format(needed_text(format, "format")),
                                        output_options(output, source)));
  });
}

whisper_s4y_status whisper_s4y_transcript_write(const whisper_s4y_transcript* transcript,
                                                const char* format,
                                                const whisper_s4y_options* output,
                                                const char* path) {
  return guarded_call([&] {
    const Transcript& source = needed(transcript, "transcript").transcript;
    write_transcript(source, output_format(needed_text(format, "format")),
                     output_options(output, source), needed_text(path, "path"));
  });
}
