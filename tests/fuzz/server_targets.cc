// What a client can send to the server.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <istream>
#include <streambuf>

#include "fuzz/harness.h"
#include "server/api_error.h"
#include "server/body_buffer.h"
#include "server/form.h"
#include "server/openai_request.h"
#include "support/files.h"

namespace whisper_s4y {
namespace {

/// Bytes that come in pieces of several sizes.
class Pieces : public std::streambuf {
 public:
  explicit Pieces(std::span<const std::byte> bytes)
      : rest_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

 protected:
  int_type underflow() override {
    if (rest_.empty()) return traits_type::eof();
    size_ = size_ % 37 + 1;
    piece_.assign(rest_.substr(0, size_));
    rest_.remove_prefix(piece_.size());
    setg(piece_.data(), piece_.data(), piece_.data() + piece_.size());
    return traits_type::to_int_type(piece_.front());
  }

 private:
  std::string_view rest_;
  std::string piece_;
  size_t size_ = 0;
};

const server::ModelStore& models() {
  static const TemporaryFolder folder;
  static const server::ModelStore store = [] {
    write_file(folder / "model", "x");  // is opened when somebody transcribes with it
    return server::ModelStore({{"model", folder / "model"}}, {});
  }();
  return store;
}

}  // namespace

void read_as_form(std::span<const std::byte> bytes) {
  Pieces pieces(bytes);
  std::istream stream(&pieces);
  server::BodyBuffer body(stream, -1, int64_t{1} << 20, [] {});
  try {
    const server::Form form = server::read_form("multipart/form-data; boundary=XX", body, {});
    static_cast<void>(server::openai_request(form, "transcribe", models()));
  } catch (const server::ApiError& error) {
    if (error.status() >= 500) throw;
  }
}

}  // namespace whisper_s4y
