// A DecoderModel whose logits are a function of the tokens fed, and which checks how it is used.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "decoding/decoder_model.h"

namespace whisper_s4y::testing {

/// Logits [vocab_size] that follow the tokens at positions 0, 1, ...
using LogitFunction = std::function<std::vector<float>(const std::vector<int>& tokens)>;

class ScriptedModel : public DecoderModel {
 public:
  ScriptedModel(ModelInfo info, LogitFunction logits, int max_beams = 0)
      : info_(std::move(info)), logits_of_(std::move(logits)), max_beams_(max_beams) {}

  [[nodiscard]] const ModelInfo& info() const override { return info_; }

  void features(std::span<const float> normalized_audio, std::span<float> logmel) override {
    ASSERT_EQ(normalized_audio.size(), 480000U);
    ++features_calls;
    std::fill(logmel.begin(), logmel.end(), 0.0F);
  }

  void encode(std::span<const float> input_features) override {
    ++encode_calls;
    encoded.assign(input_features.begin(), input_features.end());
    state_.clear();
  }

  std::span<const float> decode(std::span<const int> tokens, int position) override {
    ++decode_calls;
    EXPECT_LE(static_cast<size_t>(position), state_.size()) << "a position was left out";
    EXPECT_LE(position + static_cast<int>(tokens.size()), info_.config.max_target_positions);
    state_.resize(static_cast<size_t>(position));
    state_.insert(state_.end(), tokens.begin(), tokens.end());
    row_ = logits_of_(state_);
    return row_;
  }

  [[nodiscard]] int max_beams() const override { return max_beams_; }

  void start_beams(int position) override {
    EXPECT_LE(static_cast<size_t>(position), state_.size());
    beams_.assign(static_cast<size_t>(max_beams_), {state_.begin(), state_.begin() + position});
  }

  std::span<const float> decode_beams(std::span<const int> tokens, std::span<const int> parents,
                                      int position) override {
    ++beam_calls;
    EXPECT_LE(static_cast<int>(tokens.size()), max_beams_);
    EXPECT_EQ(tokens.size(), parents.size());
    EXPECT_LT(position, info_.config.max_target_positions);
    const auto before = beams_;
    row_.clear();
    for (size_t i = 0; i < tokens.size(); ++i) {
      beams_[i] = before[static_cast<size_t>(parents[i])];
      EXPECT_EQ(beams_[i].size(), static_cast<size_t>(position));
      beams_[i].push_back(tokens[i]);
      const auto logits = logits_of_(beams_[i]);
      row_.insert(row_.end(), logits.begin(), logits.end());
    }
    return row_;
  }

  int features_calls = 0;
  int encode_calls = 0;
  int decode_calls = 0;
  int beam_calls = 0;
  std::vector<float> encoded;

 protected:
  ModelInfo info_;
  LogitFunction logits_of_;
  int max_beams_;
  std::vector<int> state_;
  std::vector<std::vector<int>> beams_;
  std::vector<float> row_;
};

}  // namespace whisper_s4y::testing
