// A model computed by its signatures on LiteRT.
#pragma once

#include <optional>

#include "runtime/aligned_buffer.h"
#include "runtime/litert_model.h"
#include "runtime/litert_token_decoder.h"
#include "runtime/network.h"

namespace whisper_s4y {

/// By `features`, which is loaded; the model outlives it.
class LiteRtFrontEnd : public FrontEnd {
 public:
  explicit LiteRtFrontEnd(LiteRtModel& model);
  ~LiteRtFrontEnd() override { model_.settle(); }  // before the memory goes
  LiteRtFrontEnd(const LiteRtFrontEnd&) = delete;
  LiteRtFrontEnd& operator=(const LiteRtFrontEnd&) = delete;

  void run(std::span<const float> normalized_audio, std::span<float> logmel,
           Cancellation* cancellation) override;

 private:
  LiteRtModel& model_;
  LiteRtSignature& features_;
  AlignedBuffer audio_;
  AlignedBuffer logmel_;
};

/// By `encode` and `cross`, which are loaded, and those of LiteRtTokenDecoder; state and model
/// outlive it.
class LiteRtNetwork : public Network {
 public:
  LiteRtNetwork(const ModelState& state, LiteRtModel& model);
  ~LiteRtNetwork() override { model_.settle(); }  // before the memory goes
  LiteRtNetwork(const LiteRtNetwork&) = delete;
  LiteRtNetwork& operator=(const LiteRtNetwork&) = delete;

  /// At all positions: the graph knows no others.
  void encode(std::span<const float> input_features, const WindowPositions* positions,
              Cancellation* cancellation) override;
  [[nodiscard]] std::span<const float> last_hidden_state() const override {
    return hidden_.as<float>();
  }
  TokenDecoder& decoder() override { return *decoder_; }

 private:
  LiteRtModel& model_;
  LiteRtSignature& encode_;
  LiteRtSignature& cross_;
  AlignedBuffer logmel_;
  AlignedBuffer hidden_;
  CrossCaches cross_caches_;
  std::optional<LiteRtTokenDecoder> decoder_;
};

}  // namespace whisper_s4y
