// The page for people, which is in the program.
#pragma once

#include <span>
#include <string_view>

namespace whisper_s4y::server {

struct PageFile {
  std::string_view path;  // "/page/index.html"
  std::string_view bytes;
};

/// All of them; made by embed.cmake.
[[nodiscard]] std::span<const PageFile> page_files();

}  // namespace whisper_s4y::server
