#include "options/field.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace whisper_s4y::options_detail {
namespace {

double decimal(float number) {
  if (!std::isfinite(number)) return static_cast<double>(number);
  return std::strtod(fmt::format("{}", number).c_str(), nullptr);
}

template <typename T>
void get_list(const std::vector<T>& field, Json& value) {
  value = Json::array();
  for (const T& item : field) get_field(item, value.emplace_back());
}

template <typename T>
void set_list(const Json& value, std::vector<T>& field) {
  field.resize(value.size());
  for (size_t i = 0; i < field.size(); ++i) set_field(value[i], field[i]);
}

}  // namespace

void get_field(bool field, Json& value) { value = field; }
void get_field(int field, Json& value) { value = field; }
void get_field(uint64_t field, Json& value) { value = field; }
void get_field(float field, Json& value) { value = decimal(field); }
void get_field(double field, Json& value) { value = field; }
void get_field(const std::string& field, Json& value) { value = field; }
void get_field(const std::filesystem::path& field, Json& value) { value = field.string(); }
void get_field(const std::vector<int>& field, Json& value) { get_list(field, value); }
void get_field(const std::vector<float>& field, Json& value) { get_list(field, value); }
void get_field(const std::vector<double>& field, Json& value) { get_list(field, value); }
void get_field(const std::vector<std::string>& field, Json& value) { get_list(field, value); }

void set_field(const Json& value, bool& field) { field = value.get<bool>(); }
void set_field(const Json& value, int& field) { field = value.get<int>(); }
void set_field(const Json& value, uint64_t& field) { field = value.get<uint64_t>(); }
void set_field(const Json& value, float& field) { field = static_cast<float>(value.get<double>()); }
void set_field(const Json& value, double& field) { field = value.get<double>(); }
void set_field(const Json& value, std::string& field) { field = value.get<std::string>(); }
void set_field(const Json& value, std::filesystem::path& field) {
  field = value.get<std::string>();
}
void set_field(const Json& value, std::vector<int>& field) { set_list(value, field); }
void set_field(const Json& value, std::vector<float>& field) { set_list(value, field); }
void set_field(const Json& value, std::vector<double>& field) { set_list(value, field); }
void set_field(const Json& value, std::vector<std::string>& field) { set_list(value, field); }

bool is_nothing(const Json& value) { return value.is_null(); }

}  // namespace whisper_s4y::options_detail
