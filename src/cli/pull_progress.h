// Progress of downloads, shared by the commands that may pull a checkpoint.
#pragma once

#include "hub/hub.h"

namespace whisper_s4y {

/// Options from the environment whose progress is shown on the standard error.
[[nodiscard]] HubOptions hub_options_with_progress(bool quiet);

}  // namespace whisper_s4y
