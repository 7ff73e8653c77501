// From the packets of a track to samples, a little at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "audio/audio_input.h"
#include "audio/channels.h"
#include "audio/ffmpeg.h"
#include "audio/timeline.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

/// Takes the packets of an input through decoder, timeline and channels.
class AudioDecoding {
 public:
  using Pieces = std::vector<std::span<const float>>;

  /// Reads `input`, which outlives the object, from its beginning. Throws Error when the channel
  /// asked for does not exist.
  AudioDecoding(AudioInput& input, const AudioOptions& options);

  /// The next samples of each output, as long as one another and maybe none, valid until the next
  /// call; null at the end. Throws Error when there is nothing to decode or the medium fails.
  [[nodiscard]] const Pieces* next();

  /// Channels given out: one, unless AudioOptions::channel is "each".
  [[nodiscard]] int outputs() const { return channels_.outputs(); }

  /// What is known so far; all of it when next() has given null.
  [[nodiscard]] const AudioSource& source() const { return source_; }

 private:
  enum class State { reading, receiving, waiting, ending, over };

  void read_packet();
  void send(const AVPacket* packet);
  void receive();
  void count_corrupt();
  void place(const AVFrame& frame);
  void give_silence();
  void give(const Pieces& pieces);
  void end();
  [[noreturn]] void report_nothing() const;
  void report_losses();
  void report_length();

  AudioInput& input_;
  AudioSource source_;
  ChannelReader channels_;
  Timeline timeline_;
  State state_ = State::reading;
  Pieces pieces_;              // given out
  std::vector<float> zeros_;   // a second of them, once there is silence to give
  int64_t silence_ = 0;        // samples still to give before the frame that waits
  int64_t skip_ = 0;           // samples still to leave out
  double frame_seconds_ = 0;   // of the last frame
  bool is_draining_ = false;   // there are no more packets
  bool is_header_ = false;     // the last packet
  double packet_seconds_ = 0;  // of it; 0: not told
  double corrupt_seconds_ = 0;
  PacketPtr packet_{allocated(av_packet_alloc())};
  FramePtr frame_{allocated(av_frame_alloc())};
  int64_t packets_ = 0;
};

}  // namespace whisper_s4y
