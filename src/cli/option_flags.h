// The flags of option structs, made of their tables.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "options/option.h"

namespace CLI {
class App;
}

namespace whisper_s4y {

/// Adds a flag for each option, those of structs inside too: its names, what it takes, what it does
/// and the value it has in `options` as its default. `options` gives the struct whenever one is
/// set. With `only`, those fields alone. A flag with a value that is wrong throws OptionError.
void add_flags(CLI::App& command, const OptionTable& table, const std::function<void*()>& options,
               const void* defaults, const std::vector<std::string_view>& only = {});

/// The same for a struct that outlives the command.
template <typename Options>
void add_flags(CLI::App& command, Options& options,
               const std::vector<std::string_view>& only = {}) {
  add_flags(
      command, option_table<Options>(), [&options]() -> void* { return &options; }, &options, only);
}

}  // namespace whisper_s4y
