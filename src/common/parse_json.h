// JSON that others have written. Only .cc files may include this.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "common/fail.h"

namespace whisper_s4y {

struct JsonLimits {
  size_t depth = 64;          // lists and objects in one another: what walks over values recurses
  size_t values = 1'000'000;  // of all kinds
  size_t names = 5'000;       // in all objects together: ordered_json compares each with all others
};

/// The value, or a discarded one when `text` is no JSON. Throws Error with `code` that begins with
/// `source` when it is more than the limits allow or an object has a name twice.
/// `Json` is nlohmann::json or nlohmann::ordered_json.
template <typename Json>
[[nodiscard]] Json parse_json(std::string_view text, std::string_view source,
                              const JsonLimits& limits = {},
                              ErrorCode code = ErrorCode::invalid_file);

/// The same for a text that has to be an object. Throws Error with `code` for what is none, with
/// the place, a line and a column of bytes, where a text stops being JSON.
template <typename Json>
[[nodiscard]] Json parse_json_object(std::string_view text, std::string_view source,
                                     const JsonLimits& limits = {},
                                     ErrorCode code = ErrorCode::invalid_file);

extern template nlohmann::json parse_json(std::string_view, std::string_view, const JsonLimits&,
                                          ErrorCode);
extern template nlohmann::ordered_json parse_json(std::string_view, std::string_view,
                                                  const JsonLimits&, ErrorCode);
extern template nlohmann::json parse_json_object(std::string_view, std::string_view,
                                                 const JsonLimits&, ErrorCode);
extern template nlohmann::ordered_json parse_json_object(std::string_view, std::string_view,
                                                         const JsonLimits&, ErrorCode);

}  // namespace whisper_s4y
