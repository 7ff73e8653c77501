// What a caller hears of while a checkpoint is fetched and converted.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "common/boundary.h"
#include "common/cancellation.h"
#include "common/fail.h"
#include "hub/hub.h"
#include "whisper_s4y/checkpoint.h"

namespace whisper_s4y {

/// What `work()` gives, at whose stop points the caller is asked whether to stop: then it ends with
/// an Error.
template <typename Work>
auto stoppable(const std::function<bool()>& cancelled, std::string_view what, Work&& work) {
  Cancellation cancellation(guarded(cancelled));
  const StopPoints points(cancellation);
  try {
    return std::forward<Work>(work)();
  } catch (const Cancelled&) {
    fail(ErrorCode::cancelled, "{} was cancelled.", what);
  }
}

/// The hub's options with what the environment says where nothing else is said. The callbacks
/// outlive the result.
[[nodiscard]] HubOptions hub_options(const PullOptions& options, const PullCallbacks& callbacks);

/// Of the checkpoint, one after the other.
void tell_warnings(const Checkpoint& checkpoint,
                   const std::function<void(const std::string&)>& on_warning);

}  // namespace whisper_s4y
