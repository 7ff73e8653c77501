// What an object of the public headers holds, unless it was moved from.
#pragma once

#include <memory>
#include <string_view>

#include "common/fail.h"

namespace whisper_s4y {

/// Throws Error after the object, a "Session" for example, was moved from.
template <typename Impl>
[[nodiscard]] Impl& held(const std::unique_ptr<Impl>& impl, std::string_view kind) {
  if (!impl) fail(ErrorCode::invalid_argument, "This {} was moved from, and holds nothing.", kind);
  return *impl;
}

}  // namespace whisper_s4y
