#include "decoding/loop_guard.h"

#include <algorithm>
#include <vector>

namespace whisper_s4y {
namespace {

// Chosen on ../shared/speech and its prompts: docs/decoding.md.
constexpr size_t kFewestTurns = 5;
constexpr size_t kFewestTokens = 40;  // of all turns together
constexpr size_t kLongestTurn = 30;   // tokens

// Tokens at the end of `text` that repeat the one `turn` before them, those of the first turn
// included.
size_t repeated(std::span<const int> text, size_t turn) {
  size_t count = turn;
  while (count < text.size() &&
         text[text.size() - 1 - (count - turn)] == text[text.size() - 1 - count]) {
    ++count;
  }
  return count;
}

}  // namespace

std::optional<size_t> loop_end(std::span<const int> tokens, int timestamp_begin) {
  std::vector<int> text;
  std::vector<size_t> places;  // in `tokens`
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= timestamp_begin) continue;
    text.push_back(tokens[i]);
    places.push_back(i);
  }
  if (text.size() < kFewestTokens) return std::nullopt;
  for (size_t turn = 1; turn <= std::min(kLongestTurn, text.size() / kFewestTurns); ++turn) {
    const size_t count = repeated(text, turn);
    if (count < std::max(kFewestTokens, kFewestTurns * turn)) continue;
    size_t end = places[text.size() - count + turn];  // where the second turn begins
    // <|4.00|><|4.00|>: the second one is its first token.
    if (end >= 2 && tokens[end - 1] >= timestamp_begin && tokens[end - 2] >= timestamp_begin) --end;
    return end;
  }
  return std::nullopt;
}

}  // namespace whisper_s4y
