#include "server/serve_options.h"

#include "options/option_table.h"

namespace whisper_s4y {
namespace {

using server::ServeOptions;

constexpr double kMostPort = 65'535;
constexpr double kMostSeconds = 1e7;

constexpr std::string_view kAddress = "Address";
constexpr std::string_view kWork = "Work and limits";
constexpr std::string_view kAccess = "Who may ask";
constexpr std::string_view kLog = "Log";

using S = ServeOptions;
constexpr Option kRows[] = {
    option<&S::host>("host", "Address to listen at; 0.0.0.0 for all of this machine's",
                     {.group = kAddress, .metavar = "ADDRESS"}),
    option<&S::port>("port", "Port of HTTP; 0 for any that is free",
                     {.bounds = {0, kMostPort}, .group = kAddress, .short_flag = "-p"}),
    option<&S::wyoming_port>(
        "wyoming_port", "Port of the Wyoming protocol, by which Home Assistant asks; 0 for none",
        {.bounds = {0, kMostPort}, .group = kAddress}),
    option<&S::workers>("workers",
                        "Transcriptions at a time, which share the threads; 0 for as many as there "
                        "are cores, up to 8",
                        {.bounds = {0, 64}, .group = kWork, .short_flag = "-j"}),
    option<&S::queue>("queue",
                      "Requests that may wait for their turn; further ones are answered with 429",
                      {.bounds = {0, 100'000}, .group = kWork}),
    option<&S::max_connections>("max_connections", "Connections at a time",
                                {.bounds = {1, 10'000}, .group = kWork}),
    option<&S::max_sessions>("max_sessions",
                             "Sessions at a time of those who send speech while it is spoken: "
                             "OpenAI's realtime transcription, Wyoming",
                             {.bounds = {1, 10'000}, .group = kWork}),
    option<&S::max_upload>("max_upload", "Most MiB of a request's body",
                           {.bounds = {1, 1'000'000}, .group = kWork, .metavar = "MIB"}),
    option<&S::max_duration>("max_duration", "Most seconds of sound in an upload",
                             {.bounds = {1, kMostSeconds}, .group = kWork, .metavar = "SECONDS"}),
    option<&S::request_timeout>(
        "request_timeout", "Seconds after which a request is given up, its waiting included",
        {.bounds = {0.1, kMostSeconds}, .group = kWork, .metavar = "SECONDS"}),
    option<&S::read_timeout>("read_timeout",
                             "Seconds in which a header must come, and more bytes of a body",
                             {.bounds = {0.1, kMostSeconds}, .group = kWork, .metavar = "SECONDS"}),
    option<&S::idle_unload>("idle_unload",
                            "Seconds after which a model that nobody uses is closed; 0 for never",
                            {.bounds = {0, kMostSeconds}, .group = kWork, .metavar = "SECONDS"}),
    option<&S::shutdown_grace>("shutdown_grace",
                               "Seconds that running requests have to finish when the server ends",
                               {.bounds = {0, kMostSeconds}, .group = kWork, .metavar = "SECONDS"}),
    option<&S::api_keys>(
        "api_keys",
        "Key that requests must carry (Authorization: Bearer KEY); several with commas between. "
        "Other users of the machine can read it in the list of processes: better from a file or "
        "the environment",
        {.group = kAccess, .metavar = "KEY,...", .flag = "--api-key"}),
    option<&S::api_key_file>("api_key_file", "File with such keys, one a line",
                             {.group = kAccess, .metavar = "FILE"}),
    option<&S::cors_origins>(
        "cors_origins",
        "Web sites whose pages may ask, as https://example.org; * for all; the server's own page "
        "needs none",
        {.group = kAccess, .metavar = "ORIGIN,...", .flag = "--cors-origin"}),
    option<&S::upload_dir>(
        "upload_dir",
        "Folder for uploads above 8 MiB while they are used; without it $TMPDIR or /tmp",
        {.group = kWork, .metavar = "DIR"}),
    option<&S::lazy>("lazy", "Open a model when it is first asked for, not at the start",
                     {.group = kWork}),
    option<&S::allow_load>("allow_load",
                           "Let POST /load open any model file of this machine, not only those "
                           "that are served",
                           {.group = kAccess}),
    option<&S::log_texts>("log_texts", "Names of files and texts in the log", {.group = kLog}),
    option<&S::log_file>("log_file",
                         "File for the log, a line of JSON for each request; without it the "
                         "standard error",
                         {.group = kLog, .metavar = "FILE"}),
    option<&S::runtime>("runtime", "How the models are run"),
};
static_assert(describes<S>(kRows));

template <auto kField>
constexpr OptionName kName = name_of<kField>(kRows);

}  // namespace

template <>
const OptionTable& option_table<server::ServeOptions>() {
  static const OptionTable table = table_of<ServeOptions>(kRows);
  return table;
}

void server::ServeOptions::validate() const {
  check_rows(*this);
  if (port != 0 && port == wyoming_port) {
    fail_option("{} and {} must differ.", kName<&S::port>, kName<&S::wyoming_port>);
  }
  for (const std::string& key : api_keys) {
    if (key.empty()) fail_option("{}: a key is empty.", kName<&S::api_keys>);
  }
  for (const std::string& origin : cors_origins) {
    const bool is_origin =
        origin == "*" || ((origin.starts_with("http://") || origin.starts_with("https://")) &&
                          origin.find('/', 8) == std::string::npos);
    if (!is_origin) {
      fail_option("{} must be * or like https://example.org, not {}.", kName<&S::cors_origins>,
                  origin);
    }
  }
  runtime.validate();
}

}  // namespace whisper_s4y
