// The tables of RuntimeOptions and SessionOptions.
#pragma once

#include "options/option.h"
#include "whisper_s4y/model.h"
#include "whisper_s4y/session.h"

namespace whisper_s4y {

template <>
const OptionTable& option_table<RuntimeOptions>();
template <>
const OptionTable& option_table<SessionOptions>();

/// As given, but `threads` is not 0. Throws Error when an option is impossible.
[[nodiscard]] RuntimeOptions completed(RuntimeOptions options);

}  // namespace whisper_s4y
