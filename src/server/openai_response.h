// Answers of OpenAI's audio API.
#pragma once

#include <string>

#include "options/field.h"
#include "server/openai_request.h"
#include "server/transcription.h"

namespace whisper_s4y::server {

/// A whole answer.
struct ResponseBody {
  std::string content_type;
  std::string text;
};

[[nodiscard]] ResponseBody openai_response(const Transcription& transcription,
                                           const OpenAiRequest& request);

/// verbose_json: with the request's words, segments and formats.
[[nodiscard]] Json verbose_json(const Transcript& transcript, const OpenAiRequest& request);

/// An event of a stream with verbose_json: id, start, end, text and, where they are asked for,
/// words.
[[nodiscard]] Json segment_event(const Segment& segment, const OpenAiRequest& request);

/// Token, bytes and log-probability of the text tokens of a segment.
[[nodiscard]] Json logprobs_of(const Segment& segment, const Model& model);

/// {"type": "duration", "seconds": whole ones}
[[nodiscard]] Json usage_of(double seconds);

/// Makes the deltas of a stream of a transcript's segments: together they are its text without
/// white space around it.
class Deltas {
 public:
  /// What is new with this segment; empty: nothing yet.
  [[nodiscard]] std::string add(const std::string& text);

 private:
  bool has_begun_ = false;
  std::string space_;  // at the end of what was heard, which more text must follow
};

}  // namespace whisper_s4y::server
