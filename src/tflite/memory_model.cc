#include "tflite/memory_model.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/fail.h"
#include "common/output_file.h"
#include "tflite/writer.h"

namespace whisper_s4y {
namespace {

/// A file that has a descriptor and pages, but no place in any folder.
struct MemoryFile {
  explicit MemoryFile(const std::string& name)
      : descriptor(::memfd_create(name.c_str(), MFD_CLOEXEC)) {
    if (descriptor < 0) fail("Cannot make {} in memory: {}.", name, std::strerror(errno));
  }
  ~MemoryFile() { ::close(descriptor); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int descriptor;
};

}  // namespace

std::shared_ptr<const TfliteFile> tflite_in_memory(const Module& module, const std::string& name) {
  const MemoryFile memory(name);
  OutputFile file(memory.descriptor, name);
  write_tflite(module, file);
  return std::make_shared<TfliteFile>(memory.descriptor, name);
}

}  // namespace whisper_s4y
