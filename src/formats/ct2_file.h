// The container of CTranslate2 models: variables by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace whisper_s4y {

/// Reads model.bin of binary versions 2 to 6 and hands its variables out one by one, so that what
/// nobody asked for can be reported. Throws Error for everything malformed.
class Ct2File {
 public:
  explicit Ct2File(const std::filesystem::path& path);

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] bool has(std::string_view name) const { return variables_.contains(name); }
  /// Shape of a variable that is still there.
  [[nodiscard]] const std::vector<int64_t>& shape(std::string_view name) const;

  /// Takes a weight together with its `_scale`; name of the view is that of the file.
  [[nodiscard]] TensorView take(std::string_view name);
  /// Takes an integer scalar.
  [[nodiscard]] int take_scalar(std::string_view name);
  /// Names of the variables that are still there.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Variable {
    uint8_t type = 0;  // 0 float32, 1 int8, 2 int16, 3 int32, 4 float16, 5 bfloat16
    std::vector<int64_t> shape;
    std::span<const std::byte> bytes;
    uint64_t offset = 0;  // for messages
  };

  void read_variables(class ByteReader& reader, uint32_t version);
  void read_aliases(class ByteReader& reader);
  Variable take_variable(std::string_view name);
  std::vector<float> take_row_scales(const std::string& name, int64_t rows);

  std::shared_ptr<const MappedFile> file_;
  std::string source_;
  std::map<std::string, Variable, std::less<>> variables_;
};

}  // namespace whisper_s4y
