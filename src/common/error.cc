#include <string_view>

#include "common/fail.h"
#include "common/utf8.h"

namespace whisper_s4y {
namespace {

constexpr size_t kLongest = 2000;  // of a message; what files say of themselves may have megabytes

size_t character_start(std::string_view text, size_t at) {
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) --at;
  return at;
}

}  // namespace

std::string one_line(std::string_view message) {
  std::string line = visible(message);
  if (line.size() <= kLongest) return line;
  const size_t head = character_start(line, kLongest / 2);
  const size_t tail = character_start(line, line.size() - kLongest / 2);
  return line.substr(0, head) + " [...] " + line.substr(tail);
}

Error::Error(ErrorCode code, std::string_view message)
    : std::runtime_error(one_line(message)), code_(code) {}

}  // namespace whisper_s4y
