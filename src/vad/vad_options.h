// The table of VadOptions.
#pragma once

#include "options/option.h"
#include "whisper_s4y/vad.h"

namespace whisper_s4y {

template <>
const OptionTable& option_table<VadOptions>();

}  // namespace whisper_s4y
