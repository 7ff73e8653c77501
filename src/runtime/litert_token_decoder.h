// Decodes by the signatures step, prefill, step_beam and align, on LiteRT.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/litert_model.h"
#include "runtime/model_state.h"
#include "runtime/self_cache.h"
#include "runtime/token_decoder.h"

namespace whisper_s4y {

/// The keys and values that the signature `cross` gives, by the names of its outputs.
using CrossCaches = std::map<std::string, AlignedBuffer, std::less<>>;

/// The model, its state and the cross caches outlive it. Loads step and prefill; the other two when
/// they are first used.
class LiteRtTokenDecoder : public TokenDecoder {
 public:
  LiteRtTokenDecoder(const ModelState& state, LiteRtModel& model, CrossCaches& cross_caches);

  void start_window() override { cache_->truncate(0, 0); }
  [[nodiscard]] int fed() const override { return cache_->length(0); }
  std::span<const float> decode(std::span<const int> tokens, int position,
                                Cancellation* cancellation) override;
  void start_beams(int position) override;
  [[nodiscard]] bool has_beams() const override { return beam_cache_.has_value(); }
  std::span<const float> decode_beams(std::span<const int> tokens, std::span<const int> parents,
                                      int position, Cancellation* cancellation) override;
  AlignmentScores align(std::span<const int> tokens, Cancellation* cancellation) override;

 private:
  void bind_cross(LiteRtSignature& signature);
  void load_beams();
  void load_align();
  void run_step(int token, int at, Cancellation* cancellation);
  void run_prefill(std::span<const int> part, int at, Cancellation* cancellation);
  void run_align(std::span<const int> all, size_t first, Cancellation* cancellation);

  const ModelState& state_;
  LiteRtModel& model_;
  CrossCaches& cross_caches_;
  LiteRtSignature& step_;
  LiteRtSignature& prefill_;
  int max_positions_;

  AlignedBuffer token_;
  AlignedBuffer position_;  // of all signatures
  AlignedBuffer tokens_;
  AlignedBuffer length_;
  AlignedBuffer logits_;  // of step and prefill
  std::optional<SelfCache> cache_;

  AlignedBuffer beam_tokens_;
  AlignedBuffer beam_logits_;
  std::optional<SelfCache> beam_cache_;  // empty until the first start_beams()

  AlignedBuffer align_tokens_;
  AlignedBuffer align_targets_;
  AlignedBuffer align_scores_;  // f32[1, heads, rows of a call, positions]
  AlignedBuffer align_probs_;
  bool align_loaded_ = false;
  std::vector<float> scores_;  // f32[heads, tokens, positions] of the last align()
  std::vector<float> probs_;
};

}  // namespace whisper_s4y
