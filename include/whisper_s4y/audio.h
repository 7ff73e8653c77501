// Audio files as the numbers Whisper hears: mono float32 at 16 kHz.
//
//   std::vector<float> audio = whisper_s4y::load_audio("talk.mp4");
//
// Whatever FFmpeg reads is read: wav, flac, mp3, m4a, ogg, opus, webm, the sound of videos. Nothing
// else is opened on a file's behalf: playlists and other lists of files or addresses are refused.
// FFmpeg's log level is the program's to set: av_log_set_level(AV_LOG_QUIET) keeps the little it
// prints of damaged files off the standard error, and av_max_alloc() bounds what a header can make
// it ask for. Errors are thrown in either case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/export.h"
#include "whisper_s4y/span.h"

namespace whisper_s4y {

/// Samples per second of everything this header gives out.
inline constexpr int kSampleRate = 16000;

/// How the numbers of raw PCM are stored, little-endian.
enum class PcmFormat { s16le, f32le };

/// How to read a file.
struct WHISPER_S4Y_API AudioOptions {
  std::string track;  // audio track: its number from 1, or its language (de, deu, German);
                      // empty: the file's main one
  std::string channel = "mix";  // mix, left, right, a number from 1; each: all channels apart
  int pcm_rate = 0;      // samples per second of raw PCM without a header; 0 the file has a header
  int pcm_channels = 1;  // interleaved channels of raw PCM
  PcmFormat pcm_format = PcmFormat::s16le;  // numbers of raw PCM

  /// Throws Error when an option is impossible, or needs another, whatever the file.
  void validate() const;
};

/// One of a file's audio tracks, as its header describes it.
struct AudioTrack {
  int number = 0;        // from 1
  std::string codec;     // FFmpeg's name of the codec, "aac"
  std::string language;  // as it stands in the file, often ISO 639-2: "ger"; empty: not told
  std::string title;     // empty: none
  int sample_rate = 0;
  int channels = 0;
  double start = 0;      // seconds from the beginning of the recording
  double seconds = 0;    // how long it is; 0: not told
  bool is_main = false;  // the one that is read unless another is asked for
};

/// What a file says of itself.
struct AudioInfo {
  std::string format;  // FFmpeg's name of the container, "matroska,webm"
  double seconds = 0;  // how long it is; 0: not told
  std::vector<AudioTrack> tracks;
};

/// Whether a file looks like a recording by its first bytes. Throws Error when it cannot be read.
[[nodiscard]] WHISPER_S4Y_API bool is_recording(const std::filesystem::path& path);

/// Reads the header of a file. Throws Error when it cannot be read or has no audio track.
[[nodiscard]] WHISPER_S4Y_API AudioInfo inspect_audio(const std::filesystem::path& path);

/// The bytes of a file that lies elsewhere than at a path: an upload, an archive, a database.
class WHISPER_S4Y_API ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// How many there are; nothing: they come once, one after the other, as in a pipe.
  [[nodiscard]] virtual std::optional<int64_t> size() const { return std::nullopt; }
  /// Waits for the bytes from `position` on and writes as many as there are, at least one; 0 at the
  /// end. Without a size `position` is always where the bytes read before end. A std::system_error
  /// becomes an Error that says so; anything else that it throws ends the reading and leaves the
  /// function that reads as it is.
  virtual size_t read(int64_t position, Span<std::byte> bytes) = 0;
};

/// What was read.
struct AudioSource {
  std::string format;           // FFmpeg's name of the container, "wav"
  std::string codec;            // FFmpeg's name of the codec, "pcm_s16le"
  int track = 1;                // which audio track, from 1
  int sample_rate = 0;          // of the file
  int channels = 0;             // of the file
  int64_t samples = 0;          // mono samples at 16 kHz given out
  int64_t corrupt_packets = 0;  // parts of the file that could not be decoded and were left out
  std::vector<std::string> warnings;  // what was lost or chosen, a sentence each
};

/// Takes the next samples: mono, 16 kHz, in [-1, 1]. The span is valid during the call.
using AudioSink = std::function<void(Span<const float>)>;

/// Decodes a file piece by piece, so that its length does not matter. "-" is standard input.
/// Channels are mixed to one and other rates resampled as ffmpeg does by default; 16-bit mono at
/// 16 kHz comes out exactly as value / 32768. Where channels would cancel each other out the
/// loudest is taken.
///
/// Sample n is what is heard n / 16000 s after the recording begins, by the file's own timestamps:
/// silence stands where a track begins later than the picture or where packets are missing, and
/// what an edit list leaves out is left out. docs/transcribing.md tells the rules.
///
/// Parts that cannot be decoded are left out and counted. Throws Error when the file cannot be
/// read, has no such track or channel or holds no audio that can be decoded; what `sink` throws
/// passes through.
WHISPER_S4Y_API AudioSource decode_audio(const std::filesystem::path& path,
                                         const AudioOptions& options, const AudioSink& sink);

/// The same for a file in memory; `name` stands for it in messages.
WHISPER_S4Y_API AudioSource decode_audio(Span<const std::byte> file, std::string_view name,
                                         const AudioOptions& options, const AudioSink& sink);

/// A file that is decoded as far as it is read, so that neither its length nor that of a pipe
/// matters:
///
///     whisper_s4y::AudioReader reader("talk.mp4");
///     std::vector<float> samples(16000);
///     while (const size_t count = reader.read(samples)) hear({samples.data(), count});
///
/// The samples are those of decode_audio().
class WHISPER_S4Y_API AudioReader {
 public:
  /// Opens a file and reads its header. "-" is standard input. Throws Error when it cannot be read
  /// or has no such track or channel.
  explicit AudioReader(const std::filesystem::path& path, const AudioOptions& options = {});
  /// The same for a file in memory, which outlives the reader; `name` stands for it in messages.
  AudioReader(Span<const std::byte> file, std::string_view name, const AudioOptions& options = {});
  /// The same for bytes that come from elsewhere; the reader keeps the source.
  AudioReader(std::shared_ptr<ByteSource> file, std::string_view name,
              const AudioOptions& options = {});
  ~AudioReader();
  /// One that was moved from throws Error when it is used.
  AudioReader(AudioReader&&) noexcept;
  AudioReader& operator=(AudioReader&&) noexcept;

  /// Waits for sound and writes the next samples of the channel, mono, 16 kHz, in [-1, 1]. Returns
  /// how many: at least one, or 0 at the end. Throws Error when reading fails, and at the end when
  /// there was no sound at all.
  [[nodiscard]] size_t read(Span<float> samples);

  /// What was read so far; complete, with all that was lost, once read() has returned 0.
  [[nodiscard]] const AudioSource& source() const;
  /// How long the file says it is, in seconds; 0: it does not. It may be wrong.
  [[nodiscard]] double stated_seconds() const;

  /// Names of the channels that are given out, as in AudioChannel: several when
  /// AudioOptions::channel is "each".
  [[nodiscard]] const std::vector<std::string>& channels() const;
  /// Goes to the beginning of the next channel; false when there is none. A file is decoded again;
  /// of a pipe the other channels are kept in memory until they are read.
  bool next_channel();

  /// Whether rewind() works: not in a pipe.
  [[nodiscard]] bool can_rewind() const;
  /// Back to the beginning of the channel. Throws Error in a pipe.
  void rewind();

 private:
  struct Impl;
  [[nodiscard]] WHISPER_S4Y_HIDDEN Impl& impl() const;
  std::unique_ptr<Impl> impl_;
};

/// The samples of a channel.
struct AudioChannel {
  std::string name;  // "left", "right" or its number from 1; empty when channels were mixed
  std::vector<float> samples;
};

/// A whole file.
struct Audio {
  std::vector<AudioChannel> channels;  // one, unless AudioOptions::channel is "each"
  AudioSource source;
};

/// All samples of a file with what there is to say of them, see decode_audio.
[[nodiscard]] WHISPER_S4Y_API Audio read_audio(const std::filesystem::path& path,
                                               const AudioOptions& options = {});
[[nodiscard]] WHISPER_S4Y_API Audio read_audio(Span<const std::byte> file, std::string_view name,
                                               const AudioOptions& options = {});

/// The samples alone; the channel cannot be "each". `cancelled` is asked again and again: when it
/// says true, Error with ErrorCode::cancelled is thrown.
[[nodiscard]] WHISPER_S4Y_API std::vector<float> load_audio(
    const std::filesystem::path& path, const AudioOptions& options = {},
    const std::function<bool()>& cancelled = {});
[[nodiscard]] WHISPER_S4Y_API std::vector<float> load_audio(
    Span<const std::byte> file, std::string_view name, const AudioOptions& options = {},
    const std::function<bool()>& cancelled = {});

}  // namespace whisper_s4y
