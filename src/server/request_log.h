// One line of JSON for each request.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace whisper_s4y::server {

/// What is known of a request when it is over. Texts and names of files are left out of the log
/// unless they are asked for.
struct RequestRecord {
  std::string id;
  std::string client;    // address
  std::string protocol;  // "http", "realtime", "wyoming"
  std::string method;
  std::string path;  // without the query
  int status = 0;
  int64_t bytes_in = 0;      // of the body
  double seconds = 0;        // from the header to the end of the answer
  double queue_seconds = 0;  // of these waiting for a turn
  double work_seconds = 0;   // of these computing
  double audio_seconds = 0;  // of sound that was transcribed
  std::string model;         // its name here; empty: none was asked for
  std::string language;      // of the text
  std::string error;         // what the client was told
  std::string file_name;     // of the upload
  std::optional<std::string> text;
};

/// One that no other request has.
[[nodiscard]] std::string new_request_id();

/// Thread-safe. The standard error is the log unless there is a file.
class RequestLog {
 public:
  /// Throws Error when the file cannot be opened. What is there stays.
  RequestLog(const std::filesystem::path& file, bool with_texts);

  void write(const RequestRecord& record);
  /// A line about the server itself.
  void write(const std::string& event, const std::string& message);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void write_line(const std::string& line);

  std::unique_ptr<std::FILE, Close> file_;  // null: standard error
  bool with_texts_;
  std::mutex mutex_;
};

}  // namespace whisper_s4y::server
