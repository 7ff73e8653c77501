// What a client is told when its request cannot be served.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "whisper_s4y/error.h"

namespace whisper_s4y::server {

/// The status of a request whose client has gone, in log and metrics; nginx's number.
inline constexpr int kClientGone = 499;

/// An answer other than the one asked for, in OpenAI's terms.
class ApiError : public std::runtime_error {
 public:
  ApiError(int status, const std::string& message, std::string param = {}, std::string code = {})
      : std::runtime_error(message),
        status_(status),
        param_(std::move(param)),
        code_(std::move(code)) {}

  /// Says after how many seconds to come again (429, 503).
  ApiError& retry_after(int seconds) {
    retry_after_ = seconds;
    return *this;
  }

  [[nodiscard]] int status() const { return status_; }
  /// The field that is to blame; empty: none.
  [[nodiscard]] const std::string& param() const { return param_; }
  /// OpenAI's word for it, "model_not_found"; empty: none.
  [[nodiscard]] const std::string& code() const { return code_; }
  [[nodiscard]] std::optional<int> retry_after() const { return retry_after_; }

  /// {"error": {"message", "type", "param", "code"}}
  [[nodiscard]] std::string to_json() const;

 private:
  int status_;
  std::string param_;
  std::string code_;
  std::optional<int> retry_after_;
};

/// The client has gone: there is nobody to answer.
class ClientGone : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "The client has gone."; }
};

/// What an Error means to a client that has sent what it is about.
[[nodiscard]] ApiError api_error_of(const Error& error);

}  // namespace whisper_s4y::server
