// Small JSON files as a tree, with checked access. Only .cc files may include this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/text_file.h"
#include "common/fail.h"
#include "common/parse_json.h"

namespace whisper_s4y {

/// A JSON object read from a file of at most 1 MB. A field that is null counts as missing.
class JsonFile {
 public:
  explicit JsonFile(const std::filesystem::path& path) : source_(path.string()) {
    const TextFile file(path, kMaxBytes);
    root_ = parse_json_object<nlohmann::json>(file.text(), source_, kLimits);
  }

  [[nodiscard]] const std::string& source() const { return source_; }

  /// Pairs of name and value.
  [[nodiscard]] auto items() const { return root_.items(); }
  /// Null pointer when the field is missing or null.
  [[nodiscard]] const nlohmann::json* find(const char* name) const {
    const auto found = root_.find(name);
    return found == root_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] std::optional<int> integer(const char* name) const {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return std::nullopt;
    return to_int(name, *value);
  }
  [[nodiscard]] int required_integer(const char* name) const {
    const auto value = integer(name);
    if (!value) fail("{}: the field {} is missing.", source_, name);
    return *value;
  }
  [[nodiscard]] std::optional<bool> boolean(const char* name) const {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) expected(name, "true or false");
    return value->get<bool>();
  }
  [[nodiscard]] std::optional<std::string> string(const char* name) const {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) expected(name, "a string");
    return value->get<std::string>();
  }
  [[noreturn]] void expected(const char* name, std::string_view what) const {
    fail("{}: the field {} is not {}.", source_, name, what);
  }

 private:
  int to_int(const char* name, const nlohmann::json& value) const {
    if (!value.is_number_integer()) expected(name, "a whole number");
    // Numbers above 2^63 would wrap around to negative ones.
    const bool huge = value.is_number_unsigned() && value.get<uint64_t>() > INT32_MAX;
    const int64_t number = huge ? INT64_MAX : value.get<int64_t>();
    if (number < INT32_MIN || number > INT32_MAX) expected(name, "a 32-bit number");
    return static_cast<int>(number);
  }

  static constexpr uint64_t kMaxBytes = 1 << 20;               // the tree may take 20 times as much
  static constexpr JsonLimits kLimits = {.names = kMaxBytes};  // an index names every tensor

  std::string source_;
  nlohmann::json root_;
};

}  // namespace whisper_s4y
