#include "tokenizer/stream_decoder.h"

#include <span>
#include <utility>

#include "common/utf8.h"

namespace whisper_s4y {

std::string StreamDecoder::push(int id) {
  pending_ += tokenizer_.decode_bytes(std::span(&id, 1), options_);
  size_t complete = 0;
  while (complete < pending_.size()) {
    const Utf8Character character = first_utf8(std::string_view(pending_).substr(complete));
    if (character.unfinished) break;
    complete += character.size;
  }
  std::string text = valid_utf8(std::string_view(pending_).substr(0, complete));
  pending_.erase(0, complete);
  return text;
}

std::string StreamDecoder::finish() { return valid_utf8(std::exchange(pending_, {})); }

}  // namespace whisper_s4y
