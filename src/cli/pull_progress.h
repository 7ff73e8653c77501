// Progress of downloads, shared by the commands that may pull a checkpoint.
#pragma once

#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {

/// Shows progress, notices of the hub and warnings of the checkpoint on the standard error; when
/// quiet warnings only.
[[nodiscard]] PullCallbacks pull_progress(bool quiet);

}  // namespace whisper_s4y
