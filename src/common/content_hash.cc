#include "common/content_hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace whisper_s4y {

struct ContentHash::State {
  State() : state(XXH3_createState()) {
    if (state == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(state);
  }
  ~State() { XXH3_freeState(state); }
  XXH3_state_t* state;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) {}
ContentHash::~ContentHash() = default;

void ContentHash::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->state, bytes.data(), bytes.size());
}

std::string ContentHash::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->state);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace whisper_s4y
