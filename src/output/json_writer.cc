#include "output/json_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "common/utf8.h"

namespace whisper_s4y {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : valid_utf8(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

// The shortest digits that give the number back in its own precision; whole numbers with ".0", as
// Python writes floats. JSON has no word for a number that is none.
template <typename Number>
std::string number(Number value) {
  if (!std::isfinite(value)) return "null";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string to_json(const Word& word) {
  return fmt::format(R"({{"word": {}, "start": {}, "end": {}, "probability": {}}})",
                     quoted(word.word), number(word.start), number(word.end),
                     number(word.probability));
}

// [a, b, c] of what `item_json` makes of the items.
template <typename Items, typename ItemJson>
std::string list(const Items& items, ItemJson item_json) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ", ";
    out += item_json(item);
  }
  out += ']';
  return out;
}

}  // namespace

std::string to_json(const Segment& segment, bool words) {
  std::string out = fmt::format(
      R"({{"id": {}, "seek": {}, "start": {}, "end": {}, "text": {}, "tokens": [{}], )"
      R"("temperature": {}, "avg_logprob": {}, "compression_ratio": {}, "no_speech_prob": {})",
      segment.id, segment.seek, number(segment.start), number(segment.end), quoted(segment.text),
      fmt::join(segment.tokens, ", "), number(segment.temperature), number(segment.avg_logprob),
      number(segment.compression_ratio), number(segment.no_speech_prob));
  if (!segment.language.empty()) out += ", \"language\": " + quoted(segment.language);
  if (words) {
    out += ", \"words\": ";
    out += list(segment.words, [](const Word& word) { return to_json(word); });
  }
  if (!segment.channel.empty()) out += ", \"channel\": " + quoted(segment.channel);
  out += '}';
  return out;
}

std::string to_json(const Transcript& transcript) {
  const auto& segments = transcript.segments;
  const bool words = std::any_of(segments.begin(), segments.end(),
                                 [](const Segment& segment) { return !segment.words.empty(); });
  const std::string list_of_segments =
      list(segments, [&](const Segment& segment) { return to_json(segment, words); });
  std::string out =
      fmt::format(R"({{"text": {}, "segments": {}, "language": {})", quoted(transcript.text),
                  list_of_segments, quoted(transcript.language));
  if (transcript.is_cut) out += ", \"is_cut\": true";
  if (!transcript.warnings.empty()) {
    out += ", \"warnings\": " + list(transcript.warnings, quoted);
  }
  return out + '}';
}

}  // namespace whisper_s4y
