#include "tokenizer/byte_pair_encoder.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "common/fail.h"

namespace whisper_s4y {

BytePairEncoder::BytePairEncoder(const Vocabulary& vocabulary) {
  byte_ids_.fill(-1);
  tokens_.reserve(vocabulary.tokens.size());
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& bytes = vocabulary.tokens[id];
    const int32_t rank = vocabulary.ranks[id];
    if (vocabulary.special[id] != 0 || bytes.empty()) continue;
    if (bytes.size() == 1) {
      int& byte_id = byte_ids_[static_cast<uint8_t>(bytes[0])];
      if (byte_id < 0) byte_id = static_cast<int>(id);
    }
    if (rank < 0) continue;
    tokens_.try_emplace(bytes, Token{static_cast<int>(id), rank});
    longest_ = std::max(longest_, bytes.size());
  }
}

const BytePairEncoder::Token* BytePairEncoder::find(std::string_view bytes) const {
  if (bytes.size() > longest_) return nullptr;
  const auto found = tokens_.find(bytes);
  return found == tokens_.end() ? nullptr : &found->second;
}

void BytePairEncoder::encode(std::string_view piece, std::vector<int>& ids) const {
  if (const Token* whole = find(piece)) {
    ids.push_back(whole->id);
  } else {
    merge(piece, ids);
  }
}

void BytePairEncoder::merge(std::string_view piece, std::vector<int>& ids) const {
  // Parts are linked in both directions, by the index of their first byte; a heap holds the
  // possible merges, of which those with a part that has changed since are passed over. So a
  // piece of n bytes takes n log n steps.
  struct Part {
    size_t previous, end;
    int id;  // -1 for a single byte; end = 0 for a part that was merged into its neighbour
  };
  constexpr size_t kNone = static_cast<size_t>(-1);
  std::vector<Part> parts(piece.size());
  for (size_t i = 0; i < parts.size(); ++i) parts[i] = {i == 0 ? kNone : i - 1, i + 1, -1};

  struct Merge {
    int32_t rank;
    size_t begin, middle, end;
    int id;
    bool operator>(const Merge& other) const {
      return std::tie(rank, begin) > std::tie(other.rank, other.begin);
    }
  };
  std::vector<Merge> heap;
  const auto consider = [&](size_t begin) {
    const size_t middle = parts[begin].end;
    if (middle == piece.size()) return;
    const size_t end = parts[middle].end;
    if (const Token* token = find(piece.substr(begin, end - begin))) {
      heap.push_back({token->rank, begin, middle, end, token->id});
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
  };
  for (size_t i = 0; i < parts.size(); ++i) consider(i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const Merge merge = heap.back();
    heap.pop_back();
    if (parts[merge.begin].end != merge.middle || parts[merge.middle].end != merge.end) continue;
    parts[merge.begin].end = merge.end;
    parts[merge.begin].id = merge.id;
    parts[merge.middle].end = 0;
    if (merge.end < piece.size()) parts[merge.end].previous = merge.begin;
    consider(merge.begin);
    if (parts[merge.begin].previous != kNone) consider(parts[merge.begin].previous);
  }

  for (size_t i = 0; i < piece.size(); i = parts[i].end) {
    const auto byte = static_cast<uint8_t>(piece[i]);
    const int id = parts[i].id >= 0 ? parts[i].id : byte_ids_[byte];
    if (id < 0)
      fail(ErrorCode::unsupported, "The vocabulary has no token for the byte 0x{:02X} of a text.",
           byte);
    ids.push_back(id);
  }
}

}  // namespace whisper_s4y
