// What a caller hears of while a checkpoint is fetched and converted.
#pragma once

#include <functional>
#include <string_view>

#include "checkpoint/checkpoint.h"
#include "common/boundary.h"
#include "common/fail.h"
#include "hub/hub.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {

/// Throws Error when the caller wants to stop.
inline void stop_if(const std::function<bool()>& cancelled, std::string_view what) {
  if (cancelled && cancelled()) fail(ErrorCode::cancelled, "{} was cancelled.", what);
}

/// The hub's options with what the environment says where nothing else is said. The callbacks
/// outlive the result.
[[nodiscard]] HubOptions hub_options(const PullOptions& options, const PullCallbacks& callbacks);

/// Of the checkpoint, one after the other.
void tell_warnings(const Checkpoint& checkpoint,
                   const std::function<void(const std::string&)>& on_warning);

}  // namespace whisper_s4y
