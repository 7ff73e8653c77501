// Fields of a form that are options: by the names of the option tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "options/option.h"
#include "server/api_error.h"
#include "server/form.h"

namespace whisper_s4y::server {

/// Sets the options that the form has fields for, but for `except`. A list is one field with commas
/// between, or several, also as "name[]"; a flag is true, 1, yes, y or on, or the contrary. Other
/// fields are left alone. Throws ApiError (400) that names the field.
void set_fields(const Form& form, const OptionTable& table, void* options,
                std::span<const std::string_view> except = {});

template <typename Options>
void set_fields(const Form& form, Options& options, std::span<const std::string_view> except = {}) {
  set_fields(form, option_table<Options>(), &options, except);
}

/// One option from text, as set_fields() has it.
void set_field_text(const Form& form, std::string_view field, const OptionTable& table,
                    void* options, std::string_view option);

/// true, 1, yes, y or on, and the contrary, in capital or small letters. Throws ApiError (400).
[[nodiscard]] bool is_true(const std::string& text, std::string_view field);

/// What `body` does, where an impossible option becomes an ApiError (400) about `field`.
template <typename Body>
void about_field(std::string_view field, Body&& body) {
  try {
    std::forward<Body>(body)();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    throw ApiError(400, error.what(), std::string(field));
  }
}

}  // namespace whisper_s4y::server
