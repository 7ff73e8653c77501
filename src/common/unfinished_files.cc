#include "common/unfinished_files.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

// A fixed table of plain pointers: a signal handler can take neither locks nor memory.
std::array<std::atomic<char*>, 64> unfinished{};

}  // namespace

UnfinishedFile::UnfinishedFile(const std::string& path) {
  char* copy = ::strdup(path.c_str());
  if (copy == nullptr) throw std::bad_alloc();
  for (size_t i = 0; i < unfinished.size(); ++i) {
    char* empty = nullptr;
    if (unfinished[i].compare_exchange_strong(empty, copy)) {
      slot_ = static_cast<int>(i);
      return;
    }
  }
  std::free(copy);
  fail(ErrorCode::io, "Cannot write {}: {} files are being written already.", path,
       unfinished.size());
}

UnfinishedFile::~UnfinishedFile() {
  std::free(unfinished[static_cast<size_t>(slot_)].exchange(nullptr));
}

void remove_unfinished_files() noexcept {
  for (auto& slot : unfinished) {
    const char* path = slot.exchange(nullptr);
    if (path != nullptr) ::unlink(path);
  }
}

}  // namespace whisper_s4y
