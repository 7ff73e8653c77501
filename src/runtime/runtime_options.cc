#include "runtime/runtime_options.h"

#include "options/option_table.h"
#include "runtime/cpu.h"

namespace whisper_s4y {
namespace {

constexpr double kMostThreads = 1024;

using R = RuntimeOptions;
constexpr Option kRows[] = {
    option<&R::threads>("threads", "Threads; 0 for all cores",
                        {.bounds = {0, kMostThreads}, .short_flag = "-t"}),
    option<&R::use_cache>(
        "use_cache", "Keep packed weights in the cache folder, so that the next start is quick",
        {.flag = "--no-cache", .flag_help = "Keep no packed weights: the next start takes longer"}),
    option<&R::cache_dir>(
        "cache_dir",
        "Folder for packed weights; without it whisper-s4y in $XDG_CACHE_HOME or ~/.cache",
        {.metavar = "DIR"}),
    option<&R::own_kernels>(
        "own_kernels",
        "Encode and decode by kernels faster than LiteRT's, where the file allows it",
        {.flag = "--no-own-kernels", .flag_help = "Compute everything with LiteRT: slower"}),
    option<&R::profile>("profile", "Collect times per op; slower", {.has_flag = false}),
};
static_assert(describes<R>(kRows, /*callbacks=*/1));

constexpr Option kSessionRows[] = {
    option<&SessionOptions::threads>("threads", "Threads of one run; 0: as the model has it",
                                     {.bounds = {0, kMostThreads}, .has_flag = false}),
};
static_assert(describes<SessionOptions>(kSessionRows));

}  // namespace

template <>
const OptionTable& option_table<RuntimeOptions>() {
  static const OptionTable table = table_of<RuntimeOptions>(kRows);
  return table;
}

template <>
const OptionTable& option_table<SessionOptions>() {
  static const OptionTable table = table_of<SessionOptions>(kSessionRows);
  return table;
}

RuntimeOptions completed(RuntimeOptions options) {
  options.validate();
  if (options.threads == 0) options.threads = default_threads();
  return options;
}

void RuntimeOptions::validate() const { check_rows(*this); }
void SessionOptions::validate() const { check_rows(*this); }

}  // namespace whisper_s4y
