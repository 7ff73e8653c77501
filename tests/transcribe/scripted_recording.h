// A model that says a given row of tokens for each window, and notes what it was fed.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../decoding/toy_model.h"
#include "transcribe/transcriber_over.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y::testing {

/// What is said in one window: tokens of the text, by attempt (the last one again for more).
struct WindowScript {
  std::vector<std::vector<int>> attempts;
  float no_speech_logit = 0.0F;    // above 0: silence gets likely
  float sureness = 20.0F;          // logit of the tokens said; small numbers are unsure
  int language = kEnglish;         // what the window is in
  float language_sureness = 9.0F;  // logit of that
};

/// Speaks the script of the n-th window after the n-th encode(). A window after the script ends at
/// once.
class ScriptedRecording : public DecoderModel {
 public:
  ScriptedRecording(std::vector<WindowScript> script, bool multilingual = true)
      : info_(toy_info(multilingual)), script_(std::move(script)) {}

  [[nodiscard]] const ModelInfo& info() const override { return info_; }
  void features(std::span<const float>, std::span<float> logmel) override {
    std::fill(logmel.begin(), logmel.end(), 0.0F);
  }
  void encode(std::span<const float>) override {
    ++windows;
    attempt_ = 0;
    fed_.clear();
  }
  std::span<const float> decode(std::span<const int> tokens, int position) override {
    // Going back behind text that was said begins it anew.
    if (static_cast<size_t>(position) < fed_.size() && fed_.size() > text_begin(fed_)) ++attempt_;
    fed_.resize(static_cast<size_t>(position));
    fed_.insert(fed_.end(), tokens.begin(), tokens.end());
    prompts[windows] = start_of(fed_);
    row_ = logits();
    return row_;
  }
  [[nodiscard]] int max_beams() const override { return 0; }
  void start_beams(int) override { FAIL() << "no beams"; }
  std::span<const float> decode_beams(std::span<const int>, std::span<const int>, int) override {
    return {};
  }

  int windows = 0;                          // encoded so far
  std::map<int, std::vector<int>> prompts;  // start tokens of each window, from 1

 private:
  [[nodiscard]] size_t start_size() const { return info_.generation.is_multilingual ? 3 : 1; }
  [[nodiscard]] size_t text_begin(const std::vector<int>& tokens) const {
    const auto sot = std::find(tokens.begin(), tokens.end(), kSot) - tokens.begin();
    size_t begin = static_cast<size_t>(sot) + start_size();
    if (tokens.size() > begin && tokens[begin] == kNoTimestamps) ++begin;
    return begin;
  }
  [[nodiscard]] std::vector<int> start_of(const std::vector<int>& tokens) const {
    return {tokens.begin(),
            tokens.begin() + static_cast<ptrdiff_t>(std::min(tokens.size(), text_begin(tokens)))};
  }
  [[nodiscard]] std::vector<float> logits() const {
    const auto index = static_cast<size_t>(windows) - 1;
    if (index >= script_.size()) return surely(kEot);
    const WindowScript& window = script_[index];
    if (fed_.back() == kSot) {
      auto row = surely(window.language, window.language_sureness);
      row[kNoSpeech] = window.no_speech_logit;
      if (start_size() > 1) return row;
      row[static_cast<size_t>(window.language)] = 0.0F;
      row[static_cast<size_t>(said(window, 0))] = window.sureness;
      return row;
    }
    return surely(said(window, fed_.size() - text_begin(fed_)), window.sureness);
  }
  [[nodiscard]] int said(const WindowScript& window, size_t index) const {
    const auto last = window.attempts.size() - 1;
    const auto& text = window.attempts[std::min(static_cast<size_t>(attempt_), last)];
    return index < text.size() ? text[index] : kEot;
  }

  ModelInfo info_;
  std::vector<WindowScript> script_;
  int attempt_ = 0;
  std::vector<int> fed_;
  std::vector<float> row_;
};

/// Takes a sample of 1 for speech.
class LoudDetector : public SpeechDetector {
 public:
  void reset() override {}
  void hear(Span<const float> chunks, Span<float> speech_probs) override {
    for (size_t i = 0; i < speech_probs.size(); ++i) {
      speech_probs[i] = chunks[i * kVadChunk] > 0.5F ? 0.9F : 0.0F;
    }
  }
};

/// Silence of that many seconds: what is said is the model's business.
inline std::vector<float> seconds_of_sound(double seconds) {
  return std::vector<float>(static_cast<size_t>(seconds * 16000));
}

}  // namespace whisper_s4y::testing
