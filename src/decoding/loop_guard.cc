#include "decoding/loop_guard.h"

#include <algorithm>
#include <vector>

namespace whisper_s4y {
namespace {

// Chosen on ../shared/speech and its prompts: docs/decoding.md.
constexpr size_t kFewestTurns = 5;
constexpr size_t kFewestTokens = 40;  // of all turns together
constexpr size_t kLongestTurn = 30;   // tokens

// Tokens of text at the end that repeat the one `turn` before them, those of the first turn
// included; `places` are where in `tokens` text stands.
size_t repeated(std::span<const int> tokens, std::span<const size_t> places, size_t turn) {
  const auto from_end = [&](size_t i) { return tokens[places[places.size() - 1 - i]]; };
  size_t count = turn;
  while (count < places.size() && from_end(count - turn) == from_end(count)) ++count;
  return count;
}

}  // namespace

std::optional<size_t> loop_end(std::span<const int> tokens, int timestamp_begin) {
  if (tokens.size() < kFewestTokens) return std::nullopt;
  std::vector<size_t> places;  // of text
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < timestamp_begin) places.push_back(i);
  }
  if (places.size() < kFewestTokens) return std::nullopt;
  for (size_t turn = 1; turn <= std::min(kLongestTurn, places.size() / kFewestTurns); ++turn) {
    const size_t count = repeated(tokens, places, turn);
    if (count < std::max(kFewestTokens, kFewestTurns * turn)) continue;
    size_t end = places[places.size() - count + turn];  // where the second turn begins
    // <|4.00|><|4.00|>: the second one is its first token.
    if (end >= 2 && tokens[end - 1] >= timestamp_begin && tokens[end - 2] >= timestamp_begin) --end;
    return end;
  }
  return std::nullopt;
}

}  // namespace whisper_s4y
