#include "runtime/litert_log.h"

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

#include "runtime/litert_library.h"

namespace whisper_s4y::litert {
namespace {

constinit thread_local std::string* captured = nullptr;

/// fopencookie()'s write function. It runs in the thread that prints: the stream has no buffer.
ssize_t write_captured(void* /*cookie*/, const char* data, size_t size) {
  if (captured != nullptr) {
    captured->append(data, size);
  } else {
    std::fwrite(data, 1, size, stderr);  // the process's; LiteRT does not ask either
  }
  return static_cast<ssize_t>(size);
}

/// What LiteRT takes for `stderr`.
FILE* litert_stderr = nullptr;

#if defined(__x86_64__)
constexpr uint64_t kAddressOfVariable = R_X86_64_GLOB_DAT;
#elif defined(__aarch64__)
constexpr uint64_t kAddressOfVariable = R_AARCH64_GLOB_DAT;
#endif

/// The place in the library's global offset table where the address of C's `stderr` stands; null
/// when the library was linked in a way that has none.
FILE*** reference_to_stderr(const link_map& library) {
  const ElfW(Rela)* relocations = nullptr;
  size_t size = 0;
  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  // glibc has made these offsets addresses.
  for (const ElfW(Dyn)* entry = library.l_ld; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_RELA:
        relocations = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr);
        break;
      case DT_RELASZ:
        size = entry->d_un.d_val;
        break;
      case DT_SYMTAB:
        symbols = reinterpret_cast<const ElfW(Sym)*>(entry->d_un.d_ptr);
        break;
      case DT_STRTAB:
        names = reinterpret_cast<const char*>(entry->d_un.d_ptr);
        break;
      default:
        break;
    }
  }
  if (relocations == nullptr || symbols == nullptr || names == nullptr) return nullptr;
  for (size_t i = 0; i < size / sizeof(*relocations); ++i) {
    const ElfW(Rela)& relocation = relocations[i];
    if (ELF64_R_TYPE(relocation.r_info) != kAddressOfVariable) continue;
    const ElfW(Sym)& symbol = symbols[ELF64_R_SYM(relocation.r_info)];
    if (std::string_view(names + symbol.st_name) != "stderr") continue;
    auto* place = reinterpret_cast<FILE***>(library.l_addr + relocation.r_offset);
    return *place == &stderr ? place : nullptr;
  }
  return nullptr;
}

/// Whether the linker has made a page read-only once it was filled (RELRO).
bool is_read_only(const link_map& library, uintptr_t page, uintptr_t page_size) {
  struct Question {
    uintptr_t base;
    uintptr_t page;
    uintptr_t page_size;
    bool answer;
  } question{library.l_addr, page, page_size, false};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, size_t /*size*/, void* data) {
        auto& asked = *static_cast<Question*>(data);
        if (info->dlpi_addr != asked.base) return 0;
        for (const ElfW(Phdr) & header : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
          if (header.p_type != PT_GNU_RELRO) continue;
          const uintptr_t begin = asked.base + header.p_vaddr;
          const uintptr_t end = begin + header.p_memsz;
          asked.answer =
              asked.page + asked.page_size > begin && asked.page + asked.page_size <= end;
        }
        return 1;
      },
      &question);
  return question.answer;
}

/// Points LiteRT's reference to our stream. Where that is not possible LiteRT goes on printing, and
/// our messages lack its details.
bool redirect() {
  const link_map& library = litert::library();
  FILE*** place = reference_to_stderr(library);
  if (place == nullptr) return false;
  // Never closed: LiteRT may print as long as the process lives.
  litert_stderr = ::fopencookie(nullptr, "w", {nullptr, write_captured, nullptr, nullptr});
  if (litert_stderr == nullptr) return false;
  std::setvbuf(litert_stderr, nullptr, _IONBF, 0);
  const auto page_size = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t page = reinterpret_cast<uintptr_t>(place) & ~(page_size - 1);
  const bool read_only = is_read_only(library, page, page_size);
  auto* memory = reinterpret_cast<void*>(page);
  if (read_only && ::mprotect(memory, page_size, PROT_READ | PROT_WRITE) != 0) return false;
  std::atomic_ref<FILE**>(*place).store(&litert_stderr);
  if (read_only) ::mprotect(memory, page_size, PROT_READ);
  return true;
}

/// One line of LiteRT's log without severity and source position; empty unless it is an error.
std::string_view error_in(std::string_view line) {
  for (const std::string_view harmless : {"INFO: ", "WARNING: ", "VERBOSE: ", "DEBUG: "}) {
    if (line.starts_with(harmless)) return {};
  }
  if (line.starts_with("ERROR: ")) line.remove_prefix(7);
  if (line.starts_with('[')) {
    if (const size_t end = line.find("] "); end != std::string_view::npos) {
      line.remove_prefix(end + 2);
    }
  }
  while (line.ends_with('.') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

LogCapture::LogCapture() : outer_(captured) {
  [[maybe_unused]] static const bool redirected = redirect();
  captured = &text_;
}

LogCapture::~LogCapture() { captured = outer_; }

std::string LogCapture::errors() const {
  std::string errors;
  std::string_view last;
  for (std::string_view rest = text_; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string_view error = error_in(line);
    if (error.empty() || error == last) continue;
    last = error;
    if (!errors.empty()) errors += "; ";
    errors += error;
  }
  return errors;
}

}  // namespace whisper_s4y::litert
