// What must outlive its user for a moment.
#pragma once

#include <memory>

namespace whisper_s4y {

/// Destroys `state` in a thread of its own, which the end of the process waits for: for what cannot
/// go before LiteRT has ceased to compute in its memory. Where there can be no thread, at once.
void destroy_in_background(std::shared_ptr<void> state) noexcept;

/// The same if it `is_running`, else at once.
template <typename State>
void leave(std::unique_ptr<State> state, bool is_running) noexcept {
  if (is_running) destroy_in_background(std::move(state));
}

}  // namespace whisper_s4y
