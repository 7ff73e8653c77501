#include "vocabulary/merges.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "common/fail.h"
#include "vocabulary/byte_alphabet.h"

namespace whisper_s4y {
namespace {

using Ranks = std::unordered_map<std::string_view, int32_t>;

// Merges the bytes of `token` with merges of a rank below `limit` as far as they go.
std::vector<std::string_view> merge_below(std::string_view token, int32_t limit,
                                          const Ranks& ranks) {
  std::vector<std::string_view> parts;
  for (size_t i = 0; i < token.size(); ++i) parts.push_back(token.substr(i, 1));
  for (;;) {
    int32_t best_rank = limit;
    size_t best = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const std::string_view both(parts[i].data(), parts[i].size() + parts[i + 1].size());
      const auto found = ranks.find(both);
      if (found != ranks.end() && found->second < best_rank) {
        best_rank = found->second;
        best = i;
      }
    }
    if (best_rank == limit) return parts;
    parts[best] = {parts[best].data(), parts[best].size() + parts[best + 1].size()};
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> recover_merges(const Vocabulary& vocabulary) {
  std::vector<size_t> results;
  Ranks ranks;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.ranks[id] < 0) continue;
    ranks.emplace(vocabulary.tokens[id], vocabulary.ranks[id]);
    if (vocabulary.tokens[id].size() > 1) results.push_back(id);
  }
  std::ranges::sort(results, {}, [&](size_t id) { return vocabulary.ranks[id]; });
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(results.size());
  for (const size_t id : results) {
    const auto parts = merge_below(vocabulary.tokens[id], vocabulary.ranks[id], ranks);
    if (parts.size() != 2) {
      fail("The token \"{}\" of id {} is not the merge of two tokens of lower rank.",
           encode_byte_alphabet(vocabulary.tokens[id]), id);
    }
    merges.emplace_back(parts[0], parts[1]);
  }
  return merges;
}

}  // namespace whisper_s4y
