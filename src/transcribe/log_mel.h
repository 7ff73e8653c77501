// The log-mel spectrogram of a recording of any length, made with the model's own front end.
#pragma once

#include <span>
#include <vector>

#include "common/front_end.h"
#include "runtime/decoder_model.h"
#include "transcribe/sound_spans.h"

namespace whisper_s4y {

/// Log-mel frames of a whole recording as openai/whisper's log_mel_spectrogram(audio, padding =
/// 480000) gives them: silence follows the recording, and values are clamped at the maximum of the
/// whole recording - 8 (in log10), not of each window.
///
/// The model's `features` part takes exactly 30 s, reflects the signal at both ends and clamps at
/// its own maximum - 8. A longer recording is therefore taken in overlapping windows of which only
/// frames that do not touch the window's ends are kept. A window's maximum is never above that of
/// the recording, so clamping again at the recording's maximum gives the exact result.
class LogMel {
 public:
  /// `audio`: mono, 16 kHz, any length. Costs one features() call per 30 s and 4 * num_mel_bins
  /// bytes per 10 ms.
  LogMel(DecoderModel& model, std::span<const float> audio);

  /// Whole frames of the recording itself: samples / 160.
  [[nodiscard]] int content_frames() const { return content_frames_; }

  /// Frames [begin, begin + count) followed by 0.0 up to 3000 frames, as openai/whisper
  /// transcribe.py pads a window: logmel [num_mel_bins, 3000]. count <= 3000.
  void padded_window(int begin, int count, std::span<float> logmel) const;

  /// Frames [begin, begin + 3000); after the recording they are those of silence: logmel
  /// [num_mel_bins, 3000]. What the language is detected on.
  void window(int begin, std::span<float> logmel) const;

  /// Whether nothing in the frames [begin, begin + count) can be heard: all is as quiet as the last
  /// bit of 16-bit samples, or 80 dB below the loudest of the recording.
  [[nodiscard]] bool is_silent(int begin, int count) const;

  /// Where something can be heard. Silence of `shortest` frames or more is between two spans,
  /// before the first or after the last; shorter silence is part of them.
  [[nodiscard]] std::vector<SoundSpan> audible_spans(int shortest) const;

 private:
  void copy(int begin, int count, float rest, std::span<float> logmel) const;

  int num_mel_bins_;
  int content_frames_;
  int frames_;               // stored; later ones are silence
  float silence_ = 0.0F;     // value of a silent frame
  std::vector<float> data_;  // [num_mel_bins, frames_]
};

}  // namespace whisper_s4y
