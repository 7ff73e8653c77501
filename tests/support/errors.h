// What an action says when it fails.
#pragma once

#include <functional>
#include <string>

namespace whisper_s4y {

/// The message of the Error `action` throws; "no error" when it throws none.
[[nodiscard]] std::string message_of(const std::function<void()>& action);

}  // namespace whisper_s4y
