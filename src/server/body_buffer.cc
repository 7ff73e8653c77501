#include "server/body_buffer.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

constexpr size_t kTail = 256;
constexpr int64_t kMiB = 1 << 20;

ApiError too_large(int64_t most) {
  return {413,
          fmt::format("The request is larger than {} MiB, the most that this server takes.",
                      most / kMiB),
          {},
          "request_too_large"};
}

}  // namespace

std::streamsize read_some(std::istream& stream, std::span<char> piece) {
  const int first = stream.get();
  if (first == std::char_traits<char>::eof()) return 0;
  piece[0] = static_cast<char>(first);
  const auto there = std::clamp<std::streamsize>(stream.rdbuf()->in_avail(), 0,
                                                 static_cast<std::streamsize>(piece.size()) - 1);
  return 1 + stream.rdbuf()->sgetn(piece.data() + 1, there);
}

BodyBuffer::BodyBuffer(std::istream& source, int64_t length, int64_t most,
                       std::function<void()> check)
    : source_(source), length_(length), most_(most), check_(std::move(check)) {
  source_.exceptions(std::ios::badbit);  // else streams swallow what the library throws
}

void BodyBuffer::rethrow() const {
  if (failure_) std::rethrow_exception(failure_);
}

bool BodyBuffer::ends_in(std::string_view text, size_t slack) const {
  const size_t found = tail_.rfind(text);
  return found != std::string::npos && tail_.size() - found - text.size() <= slack;
}

std::string BodyBuffer::read_text(size_t most) {
  std::string text;
  std::array<char, 4096> piece{};
  while (const std::streamsize got = sgetn(piece.data(), piece.size())) {
    text.append(piece.data(), static_cast<size_t>(got));
    if (text.size() > most) {
      throw ApiError(413, fmt::format("The body has more than {} bytes.", most), {},
                     "request_too_large");
    }
  }
  rethrow();
  return text;
}

BodyBuffer::int_type BodyBuffer::underflow() {
  if (at_end_ || failure_) return traits_type::eof();
  std::streamsize got = 0;
  try {
    if (length_ > most_) throw too_large(most_);
    check_();
    got = read_some(source_, buffer_);
    if (got == 0 && length_ >= 0 && size_ < length_) throw ClientGone();
    if (size_ + got > most_) throw too_large(most_);
  } catch (const Poco::TimeoutException&) {
    failure_ = std::make_exception_ptr(
        ApiError(408, "The body of the request did not come in time.", {}, "request_timeout"));
  } catch (const Poco::Net::NetException&) {
    failure_ = std::make_exception_ptr(ClientGone());
  } catch (...) {  // thrown again by rethrow()
    failure_ = std::current_exception();
  }
  if (failure_) return traits_type::eof();
  if (got == 0) {
    at_end_ = true;
    return traits_type::eof();
  }
  size_ += got;
  tail_.append(buffer_.data() + std::max<std::streamsize>(0, got - std::streamsize{kTail}),
               static_cast<size_t>(std::min<std::streamsize>(got, kTail)));
  if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  setg(buffer_.data(), buffer_.data(), buffer_.data() + got);
  return traits_type::to_int_type(buffer_[0]);
}

}  // namespace whisper_s4y::server
