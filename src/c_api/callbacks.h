// C's callbacks as functions.
#pragma once

#include <functional>
#include <string>

#include "c_api/boundary.h"

namespace whisper_s4y::c_api {

/// Each is empty where C's is NULL.
struct Callbacks {
  /// Takes what of the struct the caller knows; NULL has none.
  explicit Callbacks(const whisper_s4y_callbacks* callbacks) : c(taken(callbacks, "callbacks")) {
    if (c.on_progress != nullptr) {
      on_progress = [c = c](double done, double total) { c.on_progress(c.user_data, done, total); };
    }
    if (c.on_warning != nullptr) {
      on_warning = [c = c](const std::string& message) {
        c.on_warning(c.user_data, message.c_str());
      };
    }
    if (c.cancelled != nullptr || c.stop != nullptr) {
      cancelled = [c = c] {
        return (c.stop != nullptr && __atomic_load_n(c.stop, __ATOMIC_RELAXED) != 0) ||
               (c.cancelled != nullptr && c.cancelled(c.user_data) != 0);
      };
    }
  }

  whisper_s4y_callbacks c;
  std::function<void(double done, double total)> on_progress;
  std::function<void(const std::string& message)> on_warning;
  std::function<bool()> cancelled;
};

}  // namespace whisper_s4y::c_api
