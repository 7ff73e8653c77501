// A fast 128-bit hash that names content: equal bytes give equal names.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace whisper_s4y {

/// xxh3-128 over everything given to update(). Not a protection against forgery: downloads are
/// checked with sha256.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(const ContentHash&) = delete;
  ContentHash& operator=(const ContentHash&) = delete;

  void update(std::span<const std::byte> bytes);
  /// 32 hex digits.
  [[nodiscard]] std::string digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace whisper_s4y
