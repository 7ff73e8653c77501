// Decodes by kernels of our own, which compute what the signatures step, prefill, step_beam and
// align do, in less time and without packed copies of the weights.
#pragma once

#include <vector>

#include "runtime/decoder_pass.h"
#include "runtime/model_state.h"
#include "runtime/token_decoder.h"

namespace whisper_s4y {

/// The state and the team outlive it.
class KernelTokenDecoder : public TokenDecoder {
 public:
  KernelTokenDecoder(const ModelState& state, std::shared_ptr<const DecoderWeights> weights,
                     TaskTeam& team);

  /// See DecoderPass.
  void use(const WindowPositions* positions) { pass_.use(positions); }
  /// Keys and values of the window by layer, which are set before start_window().
  [[nodiscard]] std::span<WindowCache> windows() { return pass_.windows(); }
  void start_window() override { fed_ = 0; }
  [[nodiscard]] int fed() const override { return fed_; }
  std::span<const float> decode(std::span<const int> tokens, int position,
                                Cancellation* cancellation) override;
  void start_beams(int position) override;
  [[nodiscard]] bool has_beams() const override { return !beams_.empty(); }
  std::span<const float> decode_beams(std::span<const int> tokens, std::span<const int> parents,
                                      int position, Cancellation* cancellation) override;
  AlignmentScores align(std::span<const int> tokens, Cancellation* cancellation) override;

 private:
  using Slots = std::vector<uint32_t>;  // by position

  [[nodiscard]] std::vector<DecoderPass::Row> rows_of(std::span<const int> tokens,
                                                      int position) const;

  const ModelState& state_;
  DecoderPass pass_;
  size_t max_positions_;
  Slots slots_;  // of decode(): position i lies in slot i
  int fed_ = 0;
  std::vector<Slots> beams_;   // of each hypothesis; empty until the first start_beams()
  std::vector<float> scores_;  // f32[heads, tokens, positions] of the last align()
  std::vector<float> probs_;
};

}  // namespace whisper_s4y
