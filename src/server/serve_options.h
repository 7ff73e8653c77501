// How the server is run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "options/option.h"
#include "whisper_s4y/model.h"

namespace whisper_s4y::server {

/// All that `whisper-s4y serve` can be told, but for the models.
struct ServeOptions {
  std::string host = "127.0.0.1";         // address to listen at
  int port = 8080;                        // of HTTP; 0: any that is free
  int wyoming_port = 0;                   // of Wyoming; 0: none
  int workers = 0;                        // transcriptions at a time; 0: one for each core, up to 8
  int queue = 64;                         // requests that may wait for a worker
  int max_connections = 256;              // at a time; further ones are refused
  int max_sessions = 32;                  // of speech that comes live, at a time
  int max_upload = 1024;                  // MiB of a request's body
  double max_duration = 36'000;           // seconds of sound in an upload
  double request_timeout = 3600;          // seconds for a request, its upload and waiting included
  double read_timeout = 30;               // seconds for a header, or for more bytes of a body
  double idle_unload = 0;                 // seconds after which an unused model is closed; 0: never
  double shutdown_grace = 30;             // seconds that running requests have when the server ends
  std::vector<std::string> api_keys;      // one of which a request must carry; empty: any may ask
  std::filesystem::path api_key_file;     // one key a line
  std::vector<std::string> cors_origins;  // whose pages may ask: "https://example.org", or "*"
  std::filesystem::path upload_dir;       // for uploads that are large; empty: $TMPDIR or /tmp
  bool lazy = false;                      // open models when first asked for
  bool allow_load = false;                // let /load open any file of this machine
  bool log_texts = false;                 // names of files and texts in the log
  std::filesystem::path log_file;         // of requests; empty: standard error
  RuntimeOptions runtime;                 // of the models

  /// Throws OptionError when a value is impossible.
  void validate() const;
};

}  // namespace whisper_s4y::server

namespace whisper_s4y {

template <>
const OptionTable& option_table<server::ServeOptions>();

}  // namespace whisper_s4y
