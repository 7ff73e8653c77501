// A media file opened for reading one of its audio streams.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "audio/ffmpeg.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {

/// Gives out the packets of the chosen audio stream and the decoder that takes them.
class AudioInput {
 public:
  /// "-" is standard input. Throws Error with one sentence when there is nothing to decode.
  AudioInput(const std::filesystem::path& path, const AudioOptions& options);
  AudioInput(std::span<const std::byte> file, std::string_view name, const AudioOptions& options);
  ~AudioInput();

  /// Fills `packet` with the next packet of the stream; false at the end of the file. Throws Error
  /// when the medium fails; damage inside the file ends it, as in ffmpeg.
  bool read(AVPacket* packet);

  [[nodiscard]] AVCodecContext* decoder() const { return decoder_.get(); }
  /// Container, codec and stream; rate and channels as the header states them.
  [[nodiscard]] AudioSource source() const;
  /// The duration the header states, in seconds; 0 when it does not.
  [[nodiscard]] double stated_seconds() const;
  /// False for pipes, from which formats with their index at the end cannot be read.
  [[nodiscard]] bool seekable() const;
  /// The file's name for messages.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct MemoryFile;

  void open(const char* url, const AudioOptions& options);
  void choose_stream(int wanted);
  void open_decoder();

  std::string name_;
  std::unique_ptr<MemoryFile> memory_;  // outlives format_, which reads from it
  FormatPtr format_;
  CodecPtr decoder_;
  int stream_index_ = -1;  // among all streams
  int audio_number_ = 0;   // among the audio streams
};

}  // namespace whisper_s4y
