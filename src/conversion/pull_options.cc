#include "conversion/pull_options.h"

#include "options/option_table.h"

namespace whisper_s4y {
namespace {

using P = PullOptions;
constexpr Option kRows[] = {
    option<&P::endpoint>("endpoint",
                         "Address of the hub; without it HF_ENDPOINT, or https://huggingface.co",
                         {.metavar = "URL"}),
    option<&P::token>("token", "Token for private models; without it HF_TOKEN",
                      {.metavar = "TOKEN"}),
    option<&P::revision>("revision", "Branch, tag or commit", {.metavar = "REVISION"}),
    option<&P::offline>("offline", "Make no connection; true too with HF_HUB_OFFLINE=1"),
};
static_assert(describes<P>(kRows));

}  // namespace

template <>
const OptionTable& option_table<PullOptions>() {
  static const OptionTable table = table_of<PullOptions>(kRows);
  return table;
}

}  // namespace whisper_s4y
