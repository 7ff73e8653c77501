// The form of a request: its fields and its file.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/arriving_file.h"
#include "server/body_buffer.h"
#include "server/upload.h"

namespace whisper_s4y::server {

/// What a client has filled in.
struct Form {
  std::vector<std::pair<std::string, std::string>> fields;  // in their order
  std::shared_ptr<Upload> file;                             // of the field "file"; null: none
  std::string file_name;                                    // as the client calls it, no path

  /// The last one of that name; nothing when there is none or it is empty.
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
  /// All of them, also as "name[]": "a", "b".
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
};

/// Is told of a large file that takes its time, while it comes, with the fields that came before
/// it; may read it, and leaves it to the form in any case.
using OnArrivingFile =
    std::function<void(const Form& so_far, const std::shared_ptr<ArrivingFile>& file)>;

/// Reads multipart/form-data, or application/x-www-form-urlencoded, to its end. `folder` is for
/// large files, see Upload; `on_file` is called when the file is not there `soon`. Throws ApiError
/// (400, 415, 507) and what BodyBuffer::rethrow() throws.
[[nodiscard]] Form read_form(const std::string& content_type, BodyBuffer& body,
                             const std::filesystem::path& folder,
                             const OnArrivingFile& on_file = {},
                             std::chrono::duration<double> soon = std::chrono::seconds(1));

}  // namespace whisper_s4y::server
