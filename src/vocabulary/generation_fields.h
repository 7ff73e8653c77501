// The fields of JSON files that say how to decode. A model can do without each of them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/json_file.h"
#include "checkpoint/warnings.h"
#include "config/model_info.h"

namespace whisper_s4y {

/// Reads fields for a model of given dimensions. What is no id of a token, no head of the decoder
/// or of another type is left out with a warning that names file and field; what is then missing
/// is for complete_generation() to find.
class GenerationFields {
 public:
  GenerationFields(const JsonFile& file, const ModelConfig& config, Warnings& warnings)
      : file_(file), config_(config), warnings_(warnings) {}

  /// Each sets `field` if the file has a value for it.
  void token_id(const char* name, int& field) const;
  void first_token_id(const char* name, int& field) const;  // of a number or a list
  void token_ids(const char* name, std::vector<int>& field) const;
  void heads(const char* name, std::vector<std::pair<int, int>>& field) const;
  void languages(const char* name, std::vector<std::pair<std::string, int>>& field) const;
  void tasks(const char* name, GenerationConfig& generation) const;
  void count(const char* name, int& field) const;  // 0 or more
  void boolean(const char* name, std::optional<bool>& field) const;

 private:
  /// Calls read(); a field of the wrong type becomes a warning.
  template <typename Read>
  void optional(Read&& read) const {
    read_optional(warnings_, "The field is ignored.", std::forward<Read>(read));
  }
  [[nodiscard]] std::optional<int> token_of(const nlohmann::json& value) const;
  [[nodiscard]] std::optional<std::pair<int, int>> head_of(const nlohmann::json& value) const;
  /// The value of a field that is an array or an object; null when it is missing.
  [[nodiscard]] const nlohmann::json* array(const char* name) const;
  [[nodiscard]] const nlohmann::json* object(const char* name) const;
  void warn_of_ids(const char* name, const std::vector<std::string>& wrong) const;

  const JsonFile& file_;
  const ModelConfig& config_;
  Warnings& warnings_;
};

}  // namespace whisper_s4y
