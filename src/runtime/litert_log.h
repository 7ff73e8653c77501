// What LiteRT prints, as text.
#pragma once

#include <string>

namespace whisper_s4y::litert {

/// While one lives, what LiteRT logs in its thread is collected instead of printed.
///
/// LiteRT and the TFLite inside it log through fprintf(stderr, ...); the library exports no way to
/// catch that, and no other way to learn why a model cannot be loaded. So LiteRT's own reference to
/// `stderr` (the entry of its global offset table) is pointed to a stream of ours when the first
/// capture is made. The process's `stderr` and all other libraries are left alone; what LiteRT
/// prints in threads without a capture goes on to it. Of nested captures the innermost collects.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  /// The errors collected so far on one line, without LiteRT's source positions; information and
  /// warnings are dropped. Empty when there were none.
  [[nodiscard]] std::string errors() const;

 private:
  std::string text_;
  std::string* outer_;
};

}  // namespace whisper_s4y::litert
