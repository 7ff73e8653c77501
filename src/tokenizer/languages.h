// The languages of Whisper and their names.
#pragma once

#include <span>
#include <string_view>

namespace whisper_s4y {

struct Language {
  std::string_view code;  // "en", the text between <| and |>
  std::string_view name;  // English name in small letters
};

/// All languages in the order of their tokens. Models know the first 99 or all 100; those for
/// English only know none.
[[nodiscard]] std::span<const Language> languages();

/// The code of a language given by code ("pt"), code with region ("pt-BR"), English name
/// ("portuguese") or another name in use ("castilian"), in capital or small letters. Throws Error
/// that lists near choices when there is no such language.
[[nodiscard]] std::string_view language_code(std::string_view name_or_code);

/// The English name of a code; empty when unknown.
[[nodiscard]] std::string_view language_name(std::string_view code);

}  // namespace whisper_s4y
