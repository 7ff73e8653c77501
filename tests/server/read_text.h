// Bodies of requests out of texts.
#pragma once

#include <algorithm>
#include <istream>
#include <sstream>
#include <string>
#include <utility>

#include "server/body_buffer.h"
#include "server/form.h"

namespace whisper_s4y::server {

/// A body that comes in pieces of so many bytes, as from a socket.
class SlowText : public std::streambuf {
 public:
  SlowText(std::string text, size_t piece) : text_(std::move(text)), piece_(piece) {}

 protected:
  int_type underflow() override {
    if (next_ == text_.size()) return traits_type::eof();
    const size_t size = std::min(piece_, text_.size() - next_);
    setg(text_.data() + next_, text_.data() + next_, text_.data() + next_ + size);
    next_ += size;
    return traits_type::to_int_type(*gptr());
  }

 private:
  std::string text_;
  size_t piece_;
  size_t next_ = 0;
};

constexpr int64_t kAnySize = int64_t{1} << 30;

/// The form in a text with the boundary "XX".
inline Form form_of(const std::string& text, size_t piece = 1000, int64_t most = kAnySize,
                    const std::string& type = "multipart/form-data; boundary=XX") {
  SlowText slow(text, piece);
  std::istream stream(&slow);
  BodyBuffer body(stream, static_cast<int64_t>(text.size()), most, [] {});
  return read_form(type, body, {});
}

/// A part of such a form.
inline std::string field(const std::string& name, const std::string& value) {
  return "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}
inline std::string file(const std::string& name, const std::string& bytes) {
  return "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name +
         "\"\r\nContent-Type: audio/wav\r\n\r\n" + bytes + "\r\n";
}
inline const std::string kEnd = "--XX--\r\n";

}  // namespace whisper_s4y::server
