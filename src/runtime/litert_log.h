// Keeps LiteRT's log output off the standard error stream.
#pragma once

#include <string>

namespace whisper_s4y::litert {

/// While one lives, what its thread writes to C's `stderr` is collected instead of printed.
///
/// LiteRT and the TFLite inside it log through fprintf(stderr, ...); the library exports no way to
/// catch that, and no other way to learn why a model cannot be loaded. So `stderr` (in the GNU C
/// library a variable) points to a stream of ours while any capture lives; what other threads
/// write meanwhile goes on to file descriptor 2. Of nested captures the innermost collects.
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
