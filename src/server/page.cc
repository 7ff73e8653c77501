#include "server/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/content_hash.h"
#include "server/routes.h"

namespace whisper_s4y::server {
namespace {

constexpr std::string_view kIndex = "/page/index.html";

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kContentTypes = {{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
}};

// Nothing but the page's own files, and sound that it holds itself.
constexpr const char* kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PageFile& find_file(std::string_view path) {
  const auto files = page_files();
  const auto found = std::ranges::find(files, path == "/" ? kIndex : path, &PageFile::path);
  if (found == files.end()) {
    throw ApiError(404, fmt::format("There is nothing at {}.", one_line(std::string(path))), {},
                   "unknown_url");
  }
  return *found;
}

std::string content_type_of(std::string_view path) {
  for (const auto& [ending, type] : kContentTypes) {
    if (path.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

std::string entity_tag(const PageFile& file) {
  ContentHash hash;
  hash.update(std::as_bytes(std::span(file.bytes)));
  return fmt::format("\"{}\"", hash.digest());
}

}  // namespace

void handle_page(Exchange& exchange, Services& /*services*/) {
  const PageFile& file = find_file(exchange.path());
  const std::string tag = entity_tag(file);
  exchange.set_header("ETag", tag);
  // Asked for again each time, so that a newer program is never shown with an older page.
  exchange.set_header("Cache-Control", "no-cache");
  exchange.set_header("Content-Security-Policy", kContentSecurityPolicy);
  exchange.set_header("Permissions-Policy", "microphone=(self)");
  exchange.set_header("Referrer-Policy", "no-referrer");
  exchange.set_header("X-Content-Type-Options", "nosniff");
  if (exchange.header("If-None-Match").find(tag) != std::string::npos) {
    exchange.answer(304, "", "");
  } else {
    exchange.answer(200, content_type_of(file.path), file.bytes);
  }
}

}  // namespace whisper_s4y::server
