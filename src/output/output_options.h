// The table of OutputOptions.
#pragma once

#include "options/option.h"
#include "whisper_s4y/output.h"

namespace whisper_s4y {

template <>
const OptionTable& option_table<OutputOptions>();

}  // namespace whisper_s4y
