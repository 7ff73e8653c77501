// Calls signatures of a .tflite file by name with plain vectors.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "runtime/litert_model.h"

namespace whisper_s4y::testing {

using Numbers = std::vector<float>;
using Integers = std::vector<int32_t>;
using Bytes = std::vector<uint8_t>;
using Inputs = std::map<std::string, std::variant<Numbers, Integers>>;

class Outputs {
 public:
  [[nodiscard]] const Numbers& numbers(const std::string& name) const { return numbers_.at(name); }
  [[nodiscard]] const Integers& integers(const std::string& name) const {
    return integers_.at(name);
  }
  [[nodiscard]] const Bytes& bytes(const std::string& name) const { return bytes_.at(name); }
  [[nodiscard]] const std::map<std::string, Numbers>& all_numbers() const { return numbers_; }

 private:
  friend class Runner;
  std::map<std::string, Numbers> numbers_;
  std::map<std::string, Integers> integers_;
  std::map<std::string, Bytes> bytes_;
};

class Runner {
 public:
  /// Loads only the signatures in `keys`; all if there are none.
  Runner(const std::filesystem::path& path, const std::vector<std::string>& keys = {});
  /// Inputs not given are zeros.
  Outputs run(const std::string& key, const Inputs& inputs);
  [[nodiscard]] LiteRtModel& model() { return model_; }

 private:
  LiteRtModel model_;
};

}  // namespace whisper_s4y::testing
