#include "server/request_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "common/fail.h"
#include "options/option_table.h"

namespace whisper_s4y::server {
namespace {

// 2026-11-26T18:17:43.123Z
std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()) % 1000;
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)),
                     ms.count());
}

double to_ms(double seconds) { return std::round(seconds * 1000) / 1000; }

}  // namespace

std::string new_request_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("req_{:016x}{:016x}", random(), random());
}

RequestLog::RequestLog(const std::filesystem::path& file, bool with_texts)
    : with_texts_(with_texts) {
  if (file.empty()) return;
  file_.reset(std::fopen(file.c_str(), "ae"));
  if (!file_) {
    fail(ErrorCode::io, "Cannot write the log {}: {}.", file.string(), std::strerror(errno));
  }
}

void RequestLog::write(const RequestRecord& record) {
  Json line;
  line["time"] = now();
  line["request_id"] = record.id;
  line["client"] = record.client;
  line["protocol"] = record.protocol;
  line["method"] = record.method;
  line["path"] = record.path;
  line["status"] = record.status;
  line["bytes_in"] = record.bytes_in;
  line["seconds"] = to_ms(record.seconds);
  line["queue_seconds"] = to_ms(record.queue_seconds);
  line["work_seconds"] = to_ms(record.work_seconds);
  line["audio_seconds"] = to_ms(record.audio_seconds);
  if (!record.model.empty()) line["model"] = record.model;
  if (!record.language.empty()) line["language"] = record.language;
  // Messages have names of files in them.
  if (!record.error.empty() && (with_texts_ || record.file_name.empty())) {
    line["error"] = record.error;
  }
  if (with_texts_) {
    if (!record.file_name.empty()) line["file"] = record.file_name;
    if (record.text) line["text"] = *record.text;
  }
  write_line(json_text(line));
}

void RequestLog::write(const std::string& event, const std::string& message) {
  Json line;
  line["time"] = now();
  line["event"] = event;
  line["message"] = message;
  write_line(json_text(line));
}

void RequestLog::write_line(const std::string& line) {
  const std::lock_guard lock(mutex_);
  std::FILE* file = file_ ? file_.get() : stderr;
  // A log that cannot be written, for the disk is full, is no reason to stop serving.
  std::fputs((line + '\n').c_str(), file);
  std::fflush(file);
}

}  // namespace whisper_s4y::server
