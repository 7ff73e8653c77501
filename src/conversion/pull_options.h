// The table of PullOptions.
#pragma once

#include "options/option.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {

template <>
const OptionTable& option_table<PullOptions>();

}  // namespace whisper_s4y
