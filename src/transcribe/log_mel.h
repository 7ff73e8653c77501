// The log-mel spectrogram of a recording of any length, made with the model's own front end.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "config/front_end.h"
#include "decoding/decoder_model.h"
#include "transcribe/sound_buffer.h"

namespace whisper_s4y {

/// Log-mel frames of a recording as openai/whisper's log_mel_spectrogram(audio, padding = 480000)
/// gives them: silence follows the recording, and values are clamped at a maximum - 8 (in log10).
///
/// The reference's maximum is that of the whole recording. Here it is that of all frames heard up
/// to now, which reach SoundBuffer::look_ahead() behind the window asked for: the same for
/// recordings that are shorter than that.
///
/// The model's `features` part takes exactly 30 s, reflects the signal at both ends and clamps at
/// its own maximum - 8. A longer recording is therefore taken in overlapping pieces of which only
/// frames that do not touch the piece's ends are kept. A piece's maximum is never above that of the
/// recording, so clamping again at the recording's maximum gives the exact result.
class LogMel {
 public:
  /// Both outlive the object. Nothing is heard before it is needed: one features() call per 30 s.
  LogMel(DecoderModel& model, SoundBuffer& sound);

  /// Hears so much that the window at frame `begin` can be given, and what lies behind it as far as
  /// the look-ahead goes.
  void hear(int begin);
  /// Frames from the beginning on that were heard; of silence, when they are after the recording.
  [[nodiscard]] int heard() const { return next_; }
  /// Whole frames of the recording itself, samples / 160, once its end was heard.
  [[nodiscard]] std::optional<int> content_frames() const;

  /// Frames [begin, begin + count) followed by 0.0 up to 3000 frames, as openai/whisper
  /// transcribe.py pads a window: logmel [num_mel_bins, 3000]. count <= 3000.
  void padded_window(int begin, int count, std::span<float> logmel);

  /// Frames [begin, begin + 3000); after the recording they are those of silence: logmel
  /// [num_mel_bins, 3000]. What the language is detected on.
  void window(int begin, std::span<float> logmel);

  /// Whether nothing in the frames [begin, begin + count) can be heard: all is as quiet as the last
  /// bit of 16-bit samples, or 80 dB below the loudest frame. The frames were heard.
  [[nodiscard]] bool is_silent(int begin, int count) const;

 private:
  /// Consecutive frames.
  struct Piece {
    int begin = 0;
    int count = 0;
    std::vector<float> values;   // [num_mel_bins, count]
    std::vector<float> loudest;  // [count]: of each frame
  };

  void begin_at(int frame);
  void add_piece(int until);
  void forget();
  [[nodiscard]] std::optional<int> frames() const;
  [[nodiscard]] float floor() const;
  void copy(int begin, int count, float rest, std::span<float> logmel);

  DecoderModel& model_;
  SoundBuffer& sound_;
  int num_mel_bins_;
  int next_ = 0;                // frame behind the last piece
  std::deque<Piece> pieces_;    // without gaps
  float maximum_;               // of all frames heard
  std::vector<float> samples_;  // [480000]
  std::vector<float> logmel_;   // [num_mel_bins, 3000]
};

}  // namespace whisper_s4y
