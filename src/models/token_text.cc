#include "models/token_text.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "common/fail.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

// Of the int32 offsets in a string tensor three bytes are read, which float32 holds exactly.
constexpr int32_t kOffsetBytes = 3;
constexpr size_t kLargestStringTensor = 1 << 24;
constexpr int32_t kZeroByte = 3;  // the highest byte of the count

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
  if (head.size() * sizeof(int32_t) + text.size() >= kLargestStringTensor) {
    fail("The texts of the {} tokens take more than {} bytes.", count, kLargestStringTensor);
  }
  std::vector<std::byte> bytes(head.size() * sizeof(int32_t) + text.size());
  std::memcpy(bytes.data(), head.data(), head.size() * sizeof(int32_t));
  std::memcpy(bytes.data() + head.size() * sizeof(int32_t), text.data(), text.size());
  return bytes;
}

/// The offset of tokens `ids` i32[n] in a string tensor seen as bytes u8[size] -> i32[n].
Value text_offset(Graph& g, Value bytes, Value ids) {
  const int32_t n = g.shape(ids)[0];
  const Value four = g.constant_i32({4});
  const Value place = add(g, mul(g, ids, four), four);
  const Value columns = g.constant_i32({0, 1, 2}, {1, kOffsetBytes});
  const Value digits = gather(g, bytes, add(g, reshape(g, place, {n, 1}), columns));
  const Value powers = g.constant(rows_of("powers_of_256", {1, kOffsetBytes}, {1, 256, 65536}));
  return cast(g, sum(g, mul(g, cast(g, digits, DType::f32), powers), {-1}, false), DType::i32);
}

}  // namespace

TokenText text_of_tokens(Graph& g, const Vocabulary& vocabulary, Value tokens) {
  const Scope scope(g, "text");
  const auto count = static_cast<int32_t>(vocabulary.tokens.size());
  const auto rows = static_cast<int32_t>(element_count(g.shape(tokens)));
  const Value ids = reshape(g, tokens, {rows});
  const std::shared_ptr<const ConstantData> stored = bytes_constant(string_tensor(vocabulary));
  TokenText text;
  text.strings = gather(g, g.constant("token_strings", DType::string, {count}, stored), ids);

  // Strings are rare among interpreters, so the same as plain bytes, taken from the same buffer.
  const auto size = static_cast<int32_t>(stored->size());
  const Value bytes = g.constant("token_bytes", DType::u8, {size}, stored);
  const Value start = text_offset(g, bytes, ids);
  text.lengths = sub(g, text_offset(g, bytes, add(g, ids, g.constant_i32({1}))), start);
  size_t longest = 1;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    longest = std::max(longest, text_of(vocabulary, id).size());
  }
  std::vector<int32_t> columns(longest);
  std::iota(columns.begin(), columns.end(), 0);
  const Value column = g.constant_i32(std::move(columns), {1, static_cast<int32_t>(longest)});
  const Value index = add(g, reshape(g, start, {rows, 1}), column);
  // Past a token's end stands the next token: point to a zero instead.
  const Value inside = less(g, column, reshape(g, text.lengths, {rows, 1}));
  text.bytes = gather(g, bytes, select(g, inside, index, g.constant_i32({kZeroByte}, {1, 1})));
  return text;
}

}  // namespace whisper_s4y
