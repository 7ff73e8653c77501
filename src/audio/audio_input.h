// A media file opened for reading one of its audio tracks.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/byte_stream.h"
#include "audio/ffmpeg.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

/// Gives out the packets of the chosen audio track and the decoder that takes them.
class AudioInput {
 public:
  /// "-" is standard input. Throws Error with one sentence when there is nothing to decode.
  AudioInput(const std::filesystem::path& path, const AudioOptions& options);
  AudioInput(std::span<const std::byte> file, std::string_view name, const AudioOptions& options);
  AudioInput(std::shared_ptr<ByteSource> file, std::string_view name, const AudioOptions& options);

  /// Begins anew, at the first byte. Only where seekable().
  void reopen(const AudioOptions& options);

  /// Fills `packet` with the next packet of the track; false at the end of the file. Throws Error
  /// when the medium fails; damage inside the file ends it, as in ffmpeg.
  bool read(AVPacket* packet);

  [[nodiscard]] AVCodecContext* decoder() const { return decoder_.get(); }
  /// Seconds of one unit of the track's timestamps.
  [[nodiscard]] double time_base() const;
  /// The timestamp at which the recording begins, in seconds.
  [[nodiscard]] double zero() const { return zero_; }
  /// Whether timestamps may jump without meaning it, as in broadcasts.
  [[nodiscard]] bool has_discontinuities() const;
  /// Container, codec and track; rate and channels as the header states them.
  [[nodiscard]] AudioSource source() const;
  /// When the track ends, in seconds from the beginning of the recording, by what the file states
  /// (not by a guess from its size); nothing when it does not.
  [[nodiscard]] std::optional<double> stated_end() const;
  /// Whether the stated end may leave out a late beginning, so that a later end is no fault.
  [[nodiscard]] bool may_last_longer() const;
  /// Seconds by which the decoder's timestamp of a frame is late.
  [[nodiscard]] double frame_lag(const AVFrame& frame) const;
  /// What is wrong with the file as such, a sentence each.
  [[nodiscard]] std::vector<std::string> faults() const;
  /// Whether a packet describes the sound that follows: where files were joined there are several.
  [[nodiscard]] bool is_header(const AVPacket& packet) const;
  [[nodiscard]] AudioInfo info() const;
  [[nodiscard]] bool seekable() const { return stream_.seekable(); }
  /// The file's name for messages.
  [[nodiscard]] const std::string& name() const { return stream_.name(); }

 private:
  void open(const AudioOptions& options);
  [[nodiscard]] const AVInputFormat* probed_format() const;
  void choose_track(const std::string& wanted);
  [[nodiscard]] AudioTrack track(size_t index) const;
  /// Seconds from the beginning of the recording.
  [[nodiscard]] double start_of(const AVStream& stream) const;
  [[nodiscard]] std::optional<double> stated_end(const AVStream& stream) const;
  [[nodiscard]] double beginning() const;
  void open_decoder();

  ByteStream stream_;  // outlives format_, which reads from it
  FormatPtr format_;
  CodecPtr decoder_;
  std::vector<int> audio_streams_;  // indexes of the tracks among all streams
  size_t chosen_ = 0;               // among audio_streams_
  size_t main_ = 0;                 // among audio_streams_
  bool asked_for_ = false;          // the track, by its number or language
  double zero_ = 0;
};

}  // namespace whisper_s4y
