#include "checkpoint/suppress_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

namespace whisper_s4y {
namespace {

constexpr std::string_view kSymbols[] = {
    "\"",  "#",  "(",  ")",   "*",   "+",   "/",   ":",  ";",   "<",  "=",  ">",
    "@",   "[",  "\\", "]",   "^",   "_",   "`",   "{",  "|",   "}",  "~",  "「",
    "」",  "『", "』", "<<",  ">>",  "<<<", ">>>", "--", "---", "-(", "-[", "('",
    "(\"", "((", "))", "(((", ")))", "[[",  "]]",  "{{", "}}",  "♪♪", "♪♪♪"};
constexpr std::string_view kMusicSigns[] = {"♩", "♪", "♫", "♬", "♭", "♮", "♯"};

// Merging for the strings above. They are single pieces of the pre-split pattern, so that plain
// byte-pair merging is the whole encoding.
class PieceEncoder {
 public:
  explicit PieceEncoder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
    ids_.reserve(vocabulary.tokens.size());
    for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
      if (vocabulary.ranks[id] >= 0) ids_.emplace(vocabulary.tokens[id], static_cast<int>(id));
    }
  }

  // Empty when a byte has no token.
  [[nodiscard]] std::vector<int> encode(std::string_view piece) const {
    std::vector<std::string_view> parts;
    for (size_t i = 0; i < piece.size(); ++i) parts.push_back(piece.substr(i, 1));
    while (parts.size() > 1) {
      size_t best = 0;
      int best_rank = -1;
      for (size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto found = ids_.find(joined(parts[i], parts[i + 1]));
        if (found == ids_.end()) continue;
        const int rank = vocabulary_.ranks[static_cast<size_t>(found->second)];
        if (best_rank < 0 || rank < best_rank) {
          best = i;
          best_rank = rank;
        }
      }
      if (best_rank < 0) break;
      parts[best] = joined(parts[best], parts[best + 1]);
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    std::vector<int> tokens;
    for (const std::string_view part : parts) {
      const auto found = ids_.find(part);
      if (found == ids_.end()) return {};
      tokens.push_back(found->second);
    }
    return tokens;
  }

 private:
  // Neighbouring views of one piece.
  static std::string_view joined(std::string_view left, std::string_view right) {
    return {left.data(), left.size() + right.size()};
  }

  const Vocabulary& vocabulary_;
  std::unordered_map<std::string_view, int> ids_;
};

}  // namespace

std::vector<int> default_suppress_tokens(const GenerationConfig& g, const Vocabulary& vocabulary) {
  const PieceEncoder encoder(vocabulary);
  std::set<int> ids;
  const auto add_single = [&](std::string_view piece) {
    const std::vector<int> tokens = encoder.encode(piece);
    if (tokens.size() == 1) ids.insert(tokens[0]);
  };
  // A hyphen and an apostrophe are allowed within words, not at their beginning.
  add_single(" -");
  add_single(" '");
  for (const std::string_view symbol : kSymbols) {
    add_single(symbol);
    add_single(fmt::format(" {}", symbol));
  }
  for (const std::string_view sign : kMusicSigns) {
    for (const std::string& piece : {std::string(sign), fmt::format(" {}", sign)}) {
      const std::vector<int> tokens = encoder.encode(piece);
      if (!tokens.empty()) ids.insert(tokens[0]);
    }
  }
  for (const int id : {g.decoder_start_token_id, g.translate_token_id, g.transcribe_token_id,
                       g.sot_lm_token_id, g.prev_sot_token_id, g.no_speech_token_id}) {
    if (id >= 0) ids.insert(id);
  }
  return {ids.begin(), ids.end()};
}

std::vector<int> default_begin_suppress_tokens(const GenerationConfig& g,
                                               const Vocabulary& vocabulary) {
  std::vector<int> ids;
  const auto space = std::ranges::find(vocabulary.tokens, " ");
  if (space != vocabulary.tokens.end()) {
    ids.push_back(static_cast<int>(space - vocabulary.tokens.begin()));
  }
  if (g.eos_token_id >= 0) ids.push_back(g.eos_token_id);
  std::ranges::sort(ids);
  return ids;
}

}  // namespace whisper_s4y
