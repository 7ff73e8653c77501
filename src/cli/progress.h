// How far a command is, on the standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace whisper_s4y {

/// "75.5 MB"; multiples of 1000 as disks and downloads count.
[[nodiscard]] std::string format_bytes(uint64_t bytes);

/// "0.8 s", "1:05 min", "2:03:04 h".
[[nodiscard]] std::string format_duration(double seconds);

/// Measures from its making.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One piece of work that counts bytes, seconds or recordings. On a terminal it is a bar in one
/// line that disappears when the work is over; elsewhere a plain line now and then, for work that
/// takes long.
class Progress {
 public:
  enum class Unit { bytes, seconds, recordings };

  /// A quiet one shows nothing.
  Progress(std::string title, Unit unit, bool quiet);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Cheap enough to be called for every few kilobytes. total = 0: not known.
  void update(uint64_t done, uint64_t total);
  /// Takes the bar away, so that other lines can be written; the next update draws it again.
  void clear();

 private:
  [[nodiscard]] std::string describe(uint64_t done, uint64_t total) const;

  std::string title_;
  Unit unit_;
  bool quiet_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace whisper_s4y
