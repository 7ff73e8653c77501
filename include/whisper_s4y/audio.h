// Audio files as the numbers Whisper hears: mono float32 at 16 kHz.
//
//   std::vector<float> audio = whisper_s4y::load_audio("talk.mp4");
//
// Whatever FFmpeg reads is read: wav, flac, mp3, m4a, ogg, opus, webm, the sound of videos.
// FFmpeg's log level is
// the program's to set; av_log_set_level(AV_LOG_QUIET) keeps the little it prints of damaged files
// off the standard error. Errors are thrown in either case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// Samples per second of everything this header gives out.
inline constexpr int kSampleRate = 16000;

/// How the numbers of raw PCM are stored, little-endian.
enum class PcmFormat { s16le, f32le };

/// How to read a file.
struct AudioOptions {
  int stream = -1;       // which audio stream, from 0; -1 the file's main one
  int pcm_rate = 0;      // samples per second of raw PCM without a header; 0 the file has a header
  int pcm_channels = 1;  // interleaved channels of raw PCM
  PcmFormat pcm_format = PcmFormat::s16le;  // numbers of raw PCM

  /// Throws Error when a value is impossible.
  void validate() const;
};

/// What was read.
struct AudioSource {
  std::string format;           // FFmpeg's name of the container, "wav"
  std::string codec;            // FFmpeg's name of the codec, "pcm_s16le"
  int stream = 0;               // which audio stream, from 0
  int sample_rate = 0;          // of the file
  int channels = 0;             // of the file
  int64_t samples = 0;          // mono samples at 16 kHz given out
  int64_t corrupt_packets = 0;  // parts of the file that could not be decoded and were left out
};

/// Takes the next samples: mono, 16 kHz, in [-1, 1]. The span is valid during the call.
using AudioSink = std::function<void(std::span<const float>)>;

/// Decodes a file piece by piece, so that its length does not matter. "-" is standard input.
/// Channels are mixed to one and other rates resampled as ffmpeg does by default; 16-bit mono at
/// 16 kHz comes out exactly as value / 32768. Parts that cannot be decoded are left out and
/// counted. Throws Error when the file cannot be read, has no such audio stream or holds no audio
/// that can be decoded; what `sink` throws passes through.
AudioSource decode_audio(const std::filesystem::path& path, const AudioOptions& options,
                         const AudioSink& sink);

/// The same for a file in memory; `name` stands for it in messages.
AudioSource decode_audio(std::span<const std::byte> file, std::string_view name,
                         const AudioOptions& options, const AudioSink& sink);

/// All samples of a file, see decode_audio.
[[nodiscard]] std::vector<float> load_audio(const std::filesystem::path& path,
                                            const AudioOptions& options = {});
[[nodiscard]] std::vector<float> load_audio(std::span<const std::byte> file, std::string_view name,
                                            const AudioOptions& options = {});

}  // namespace whisper_s4y
