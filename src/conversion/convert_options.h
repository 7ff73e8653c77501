// The table of ConvertOptions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "models/bundle.h"
#include "options/option.h"
#include "whisper_s4y/convert.h"

namespace whisper_s4y {

inline constexpr std::string_view kBundlePart = "bundle";  // ConvertOptions::part: all of it
/// What ConvertOptions::part can be.
inline constexpr auto kConvertParts = [] {
  std::array<std::string_view, 1 + std::size(kPartNames)> parts{kBundlePart};
  std::ranges::copy(kPartNames, parts.begin() + 1);
  return parts;
}();
inline constexpr std::string_view kTflite214 = "2.14";  // ConvertOptions::compat
inline constexpr std::string_view kBlend = "blend";     // ConvertOptions::cache_update

/// What a file will hold, by ConvertOptions::part, target, signatures and text_strings together.
struct BundleContent {
  std::vector<std::string> signatures;  // of the bundle; empty: all, or a part
  bool text_strings = false;
};
[[nodiscard]] BundleContent bundle_content(const ConvertOptions& options);

template <>
const OptionTable& option_table<ConvertOptions>();

/// ConvertOptions::target_size in bytes: a number and kB, MB, GB, KiB, MiB or GiB, in capital or
/// small letters. Throws Error for others.
[[nodiscard]] uint64_t target_bytes(const ConvertOptions& options);

/// Whether a part gives tokens from a prompt inside.
[[nodiscard]] bool has_prompt(std::string_view part);

}  // namespace whisper_s4y
