#include "vocabulary/vocabulary_builder.h"

#include "common/fail.h"
#include "vocabulary/byte_alphabet.h"

namespace whisper_s4y {
namespace {

constexpr int32_t kBytes = 256;

}  // namespace

bool has_special_form(std::string_view text) {
  return text.size() > 4 && text.starts_with("<|") && text.ends_with("|>");
}

VocabularyBuilder::VocabularyBuilder(int vocab_size, std::string source)
    : source_(std::move(source)) {
  const auto size = static_cast<size_t>(vocab_size);
  vocabulary_.tokens.resize(size);
  vocabulary_.special.resize(size);
  vocabulary_.ranks.resize(size, -1);
}

bool VocabularyBuilder::has_row(std::string_view text, uint64_t id) {
  if (id < vocabulary_.tokens.size()) return true;
  if (left_out_++ == 0) first_left_out_ = fmt::format("\"{}\" (id {})", text, id);
  return false;
}

void VocabularyBuilder::add_token(std::string_view text, uint64_t id) {
  if (!has_row(text, id)) return;
  std::string& token = vocabulary_.tokens[id];
  if (!token.empty()) fail("{}: the token id {} is given twice.", source_, id);
  if (!decode_byte_alphabet(text, token)) {
    fail("{}: the token \"{}\" of id {} is not in the byte alphabet of GPT-2.", source_, text, id);
  }
}

void VocabularyBuilder::add_added_token(std::string_view text, uint64_t id, bool special) {
  if (!has_row(text, id)) return;
  std::string& token = vocabulary_.tokens[id];
  if (!token.empty() && token != text) {
    fail("{}: the token id {} is given twice, as \"{}\" and \"{}\".", source_, id, token, text);
  }
  token = text;
  vocabulary_.special[id] = special || has_special_form(text) ? 1 : 0;
}

void VocabularyBuilder::index_tokens() {
  ids_.reserve(vocabulary_.tokens.size());
  for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
    const std::string& token = vocabulary_.tokens[id];
    if (token.empty() || vocabulary_.special[id] != 0) continue;
    if (const auto [other, is_new] = ids_.emplace(token, id); !is_new) {
      fail("{}: the ids {} and {} are the same token.", source_, other->second, id);
    }
  }
}

size_t VocabularyBuilder::find_token(const std::string& bytes) {
  // In the standard vocabularies the merges come in the order of the ids: no index is needed.
  const auto guess = static_cast<size_t>(kBytes) + static_cast<size_t>(merges_);
  if (guess < vocabulary_.tokens.size() && vocabulary_.tokens[guess] == bytes) return guess;
  if (ids_.empty()) index_tokens();
  const auto found = ids_.find(bytes);
  if (found == ids_.end()) {
    fail("{}: the result of merge {}, \"{}\", is not a token.", source_, merges_ + 1,
         encode_byte_alphabet(bytes));
  }
  return found->second;
}

void VocabularyBuilder::add_merge(std::string_view left, std::string_view right) {
  if (!decode_byte_alphabet(left, left_) || !decode_byte_alphabet(right, right_) || left_.empty() ||
      right_.empty()) {
    fail("{}: merge {} is not two tokens in the byte alphabet of GPT-2.", source_, merges_ + 1);
  }
  left_ += right_;
  int32_t& rank = vocabulary_.ranks[find_token(left_)];
  if (rank < 0) rank = kBytes + merges_;  // of two ways to one token the first decides
  ++merges_;
}

Vocabulary VocabularyBuilder::finish(Warnings& warnings) {
  if (left_out_ > 0) {
    warn(warnings, "{}: the model has {} tokens; {} left out: {}{}.", source_,
         vocabulary_.tokens.size(),
         left_out_ == 1 ? "1 more is" : fmt::format("{} more are", left_out_), first_left_out_,
         left_out_ == 1 ? "" : " and others");
  }
  bool text_part = true;  // ids before <|endoftext|>
  for (size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
    const std::string& token = vocabulary_.tokens[id];
    text_part = text_part && vocabulary_.special[id] == 0;
    if (vocabulary_.special[id] != 0 || token.empty()) {
      vocabulary_.ranks[id] = -1;
    } else if (token.size() == 1) {
      vocabulary_.ranks[id] = byte_rank(static_cast<uint8_t>(token[0]));
    } else if (merges_ == 0 && text_part) {
      vocabulary_.ranks[id] = static_cast<int32_t>(id);
    }
  }
  return std::move(vocabulary_);
}

}  // namespace whisper_s4y
