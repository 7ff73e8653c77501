#include "models/token_text.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "graph/ops.h"

namespace whisper_s4y {
namespace {

std::string_view text_of(const Vocabulary& vocabulary, size_t id) {
  return vocabulary.special[id] != 0 ? std::string_view() : std::string_view(vocabulary.tokens[id]);
}

/// TFLite's form of a string tensor: int32 count, count + 1 offsets from the beginning, the bytes.
std::vector<std::byte> string_tensor(const Vocabulary& vocabulary) {
  const size_t count = vocabulary.tokens.size();
  std::vector<int32_t> head{static_cast<int32_t>(count)};
  auto offset = static_cast<int32_t>((count + 2) * sizeof(int32_t));
  std::string text;
  for (size_t id = 0; id < count; ++id) {
    head.push_back(offset + static_cast<int32_t>(text.size()));
    text += text_of(vocabulary, id);
  }
  head.push_back(offset + static_cast<int32_t>(text.size()));
  std::vector<std::byte> bytes(head.size() * sizeof(int32_t) + text.size());
  std::memcpy(bytes.data(), head.data(), head.size() * sizeof(int32_t));
  std::memcpy(bytes.data() + head.size() * sizeof(int32_t), text.data(), text.size());
  return bytes;
}

}  // namespace

TokenText text_of_tokens(Graph& g, const Vocabulary& vocabulary, Value tokens) {
  const auto count = static_cast<int32_t>(vocabulary.tokens.size());
  const auto rows = static_cast<int32_t>(element_count(g.shape(tokens)));
  const Value ids = reshape(g, tokens, {rows});
  TokenText text;
  const Value strings = g.constant("token_strings", DType::string, {count},
                                   bytes_constant(string_tensor(vocabulary)));
  text.strings = gather(g, strings, ids);

  // Strings are rare among interpreters, so the same as plain bytes: each token is a run of one
  // long byte vector.
  std::vector<int32_t> starts;  // of every token, and the end of the last one
  size_t longest = 1;
  std::string all;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string_view token = text_of(vocabulary, id);
    starts.push_back(static_cast<int32_t>(all.size()));
    longest = std::max(longest, token.size());
    all += token;
  }
  starts.push_back(static_cast<int32_t>(all.size()));
  const auto width = static_cast<int32_t>(longest);
  all.append(static_cast<size_t>(width), '\0');  // the last token's row may look past the end
  const Value bytes = g.constant("token_bytes", DType::u8, {static_cast<int32_t>(all.size())},
                                 bytes_constant(std::as_bytes(std::span<const char>(all))));
  std::vector<int32_t> columns(static_cast<size_t>(width));
  std::iota(columns.begin(), columns.end(), 0);
  const Value column = g.constant_i32(std::move(columns), {1, width});
  const Value places = g.constant_i32(std::move(starts));
  const Value start = gather(g, places, ids);
  text.lengths = sub(g, gather(g, places, add(g, ids, g.constant_i32({1}))), start);
  const Value index = add(g, reshape(g, start, {rows, 1}), column);
  // Past a token's end stands the next token: point there to the padding instead.
  const Value inside = less(g, column, reshape(g, text.lengths, {rows, 1}));
  const Value padding = g.constant_i32({static_cast<int32_t>(all.size()) - 1}, {1, 1});
  text.bytes = gather(g, bytes, select(g, inside, index, padding));
  return text;
}

}  // namespace whisper_s4y
