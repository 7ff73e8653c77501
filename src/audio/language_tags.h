// Languages as container files name them.
#pragma once

#include <string_view>

namespace whisper_s4y {

/// Whether two names mean the same language: ISO 639-1 ("de"), ISO 639-2 of both kinds ("deu",
/// "ger"), a tag that goes on after such a code ("de-AT"), or the English name, in any case.
[[nodiscard]] bool is_same_language(std::string_view left, std::string_view right);

}  // namespace whisper_s4y
