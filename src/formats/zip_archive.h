// ZIP archives as torch.save writes them: entries stored without compression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace whisper_s4y {

/// The entries of a mapped archive by name, ZIP64 included. Throws Error naming `source` for
/// anything truncated, overlapping, compressed, encrypted or named twice.
class ZipArchive {
 public:
  ZipArchive(std::span<const std::byte> bytes, std::string source);

  /// Whether there is a directory at the end, as there is not while a download goes on.
  [[nodiscard]] static bool has_directory(std::span<const std::byte> bytes);

  [[nodiscard]] bool has(std::string_view name) const { return entries_.contains(name); }
  /// Throws Error when there is no such entry.
  [[nodiscard]] std::span<const std::byte> entry(std::string_view name) const;
  /// The same with its checksum verified, which reads all of it.
  [[nodiscard]] std::span<const std::byte> checked_entry(std::string_view name) const;
  /// Entries whose name begins like this, by the rest of their name.
  [[nodiscard]] std::map<std::string, std::span<const std::byte>, std::less<>> entries_under(
      std::string_view prefix) const;
  /// The one entry whose name ends like this; Error when there is none or more than one.
  [[nodiscard]] std::string_view find_ending(std::string_view ending) const;

 private:
  struct Entry {
    std::span<const std::byte> data;
    uint32_t crc = 0;
  };
  struct Directory {
    uint64_t offset = 0, size = 0, entries = 0;
  };

  [[nodiscard]] Directory find_directory() const;
  [[nodiscard]] std::span<const std::byte> locate_data(std::string_view name, uint64_t header,
                                                       uint64_t size) const;
  void read_directory(const Directory& directory);
  void check_overlaps() const;

  std::span<const std::byte> bytes_;
  std::string source_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace whisper_s4y
