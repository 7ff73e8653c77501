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

}  // namespace whisper_s4y
