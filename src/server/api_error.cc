#include "server/api_error.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "options/option_table.h"

namespace whisper_s4y::server {
namespace {

std::string_view type_of(int status) {
  if (status == 429) return "rate_limit_error";
  if (status >= 500) return "server_error";
  return "invalid_request_error";
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::io:  // of the upload
    case ErrorCode::invalid_file:
    case ErrorCode::unsupported:
      return 400;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::out_of_memory:
      return 503;
    case ErrorCode::cancelled:
      return kClientGone;
    case ErrorCode::network:
    case ErrorCode::runtime:
    case ErrorCode::internal:
      break;
  }
  return 500;
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

std::string ApiError::to_json() const {
  Json error;
  error["message"] = what();
  error["type"] = type_of(status_);
  error["param"] = or_null(param_);
  error["code"] = or_null(code_);
  return json_text(Json{{"error", error}});
}

ApiError api_error_of(const Error& error) {
  const auto* option = dynamic_cast<const OptionError*>(&error);
  return {status_of(error.code()), error.what(), option == nullptr ? "" : option->field()};
}

}  // namespace whisper_s4y::server
