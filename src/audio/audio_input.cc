#include "audio/audio_input.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "common/options.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {

namespace {

constexpr NumberOption<AudioOptions> kAudioNumbers[] = {
    number_option<&AudioOptions::pcm_rate>({"pcm_rate"}, 0, 1'000'000),
    number_option<&AudioOptions::pcm_channels>({"pcm_channels"}, 1, 64),
};

}  // namespace

void AudioOptions::validate() const { check_numbers(*this, kAudioNumbers); }

/// A file in memory as FFmpeg's byte stream.
struct AudioInput::MemoryFile {
  explicit MemoryFile(std::span<const std::byte> file) : bytes(file) {
    constexpr int kBuffer = 1 << 15;
    auto* buffer = static_cast<unsigned char*>(allocated(av_malloc(kBuffer)));
    io =
        avio_alloc_context(buffer, kBuffer, 0, this, &MemoryFile::read, nullptr, &MemoryFile::seek);
    if (io == nullptr) {
      av_free(buffer);
      throw std::bad_alloc();
    }
  }
  ~MemoryFile() {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  static int read(void* self, uint8_t* out, int size) {
    auto& file = *static_cast<MemoryFile*>(self);
    const size_t count = std::min(static_cast<size_t>(size), file.bytes.size() - file.position);
    if (count == 0) return AVERROR_EOF;
    std::memcpy(out, file.bytes.data() + file.position, count);
    file.position += count;
    return static_cast<int>(count);
  }

  static int64_t seek(void* self, int64_t offset, int whence) {
    auto& file = *static_cast<MemoryFile*>(self);
    const auto size = static_cast<int64_t>(file.bytes.size());
    int64_t target = offset;
    switch (whence & ~AVSEEK_FORCE) {
      case AVSEEK_SIZE:
        return size;
      case SEEK_SET:
        break;
      case SEEK_CUR:
        target += static_cast<int64_t>(file.position);
        break;
      case SEEK_END:
        target += size;
        break;
      default:
        return AVERROR(EINVAL);
    }
    if (target < 0 || target > size) return AVERROR(EINVAL);
    file.position = static_cast<size_t>(target);
    return target;
  }

  std::span<const std::byte> bytes;
  size_t position = 0;
  AVIOContext* io = nullptr;
};

namespace {

// How FFmpeg is to open the path. With "file:" no part of a name is taken for a protocol.
std::string url_of(const std::filesystem::path& path) {
  if (path == "-") {
    if (::isatty(STDIN_FILENO) != 0) {
      fail("Cannot read audio from standard input: it is a terminal, not a file or a pipe.");
    }
    // A redirected file can be sought, which formats with the index at the end need.
    struct stat info {};
    if (::fstat(STDIN_FILENO, &info) != 0) {
      fail("Cannot read standard input: {}.", std::strerror(errno));
    }
    return S_ISREG(info.st_mode) ? "file:/dev/stdin" : "pipe:0";
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    fail("Cannot read {}: {}.", path.string(), std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) fail("Cannot read {}: it is a folder.", path.string());
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
    fail("Cannot read {}: it is neither a file nor a pipe.", path.string());
  }
  if (S_ISREG(info.st_mode) && info.st_size == 0) {
    fail("Cannot read {}: the file is empty.", path.string());
  }
  if (::access(path.c_str(), R_OK) != 0) {
    fail("Cannot read {}: {}.", path.string(), std::strerror(errno));
  }
  return "file:" + path.string();
}

// FFmpeg's names and options for audio without a header.
const AVInputFormat* pcm_format(const AudioOptions& options, AVDictionary** dictionary) {
  av_dict_set_int(dictionary, "sample_rate", options.pcm_rate, 0);
  const std::string layout = fmt::format("{} channels", options.pcm_channels);
  av_dict_set(dictionary, "ch_layout", layout.c_str(), 0);
  const char* name = options.pcm_format == PcmFormat::s16le ? "s16le" : "f32le";
  const AVInputFormat* format = av_find_input_format(name);
  if (format == nullptr) fail("This FFmpeg cannot read raw PCM of the kind {}.", name);
  return format;
}

// "2 video streams and 1 subtitle stream"
std::string kinds_of_streams(const AVFormatContext& format) {
  std::vector<std::string> kinds;
  for (const AVMediaType type : {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_SUBTITLE, AVMEDIA_TYPE_DATA}) {
    const auto count = std::count_if(
        format.streams, format.streams + format.nb_streams,
        [type](const AVStream* stream) { return stream->codecpar->codec_type == type; });
    if (count > 0) {
      kinds.push_back(fmt::format("{} {} stream{}", count, av_get_media_type_string(type),
                                  count == 1 ? "" : "s"));
    }
  }
  return fmt::format("{}", fmt::join(kinds, " and "));
}

}  // namespace

AudioInput::AudioInput(const std::filesystem::path& path, const AudioOptions& options)
    : name_(path == "-" ? "standard input" : path.string()) {
  open(url_of(path).c_str(), options);
}

AudioInput::AudioInput(std::span<const std::byte> file, std::string_view name,
                       const AudioOptions& options)
    : name_(name) {
  if (file.empty()) fail("Cannot read {}: the file is empty.", name_);
  memory_ = std::make_unique<MemoryFile>(file);
  open(nullptr, options);
}

AudioInput::~AudioInput() = default;

void AudioInput::open(const char* url, const AudioOptions& options) {
  AVDictionary* dictionary = nullptr;
  const AVInputFormat* forced = nullptr;
  options.validate();
  if (options.pcm_rate != 0) forced = pcm_format(options, &dictionary);

  AVFormatContext* format = allocated(avformat_alloc_context());
  silence(*format);
  if (memory_ != nullptr) format->pb = memory_->io;
  // Frees `format` when it fails.
  const int opened = avformat_open_input(&format, url, forced, &dictionary);
  av_dict_free(&dictionary);
  if (opened == AVERROR_EOF) fail("Cannot read {}: it is empty.", name_);
  if (opened == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (opened < 0) {
    // Readers give many codes for bytes they cannot make sense of.
    fail("Cannot read {}: it is not an audio or video file, or it is damaged ({}).", name_,
         ffmpeg_error(opened));
  }
  format_.reset(format);

  const int found = avformat_find_stream_info(format_.get(), nullptr);
  if (found < 0) fail("Cannot read {}: {}.", name_, ffmpeg_error(found));
  choose_stream(options.stream);
  open_decoder();
}

void AudioInput::choose_stream(int wanted) {
  std::vector<int> audio;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (format_->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
      audio.push_back(static_cast<int>(i));
    }
  }
  if (audio.empty()) {
    const std::string kinds = kinds_of_streams(*format_);
    fail("{} has no audio stream{}{}.", name_, kinds.empty() ? "" : ", only ", kinds);
  }
  if (wanted < -1 || wanted >= static_cast<int>(audio.size())) {
    fail("{} has no audio stream {}: it has {}, counted from 0.", name_, wanted, audio.size());
  }
  if (wanted >= 0) {
    stream_index_ = audio[static_cast<size_t>(wanted)];
  } else {
    const int best = av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
    stream_index_ = best >= 0 ? best : audio[0];
  }
  audio_number_ =
      static_cast<int>(std::find(audio.begin(), audio.end(), stream_index_) - audio.begin());
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (static_cast<int>(i) != stream_index_) format_->streams[i]->discard = AVDISCARD_ALL;
  }
}

void AudioInput::open_decoder() {
  const AVStream* stream = format_->streams[stream_index_];
  const AVCodec* codec = avcodec_find_decoder(stream->codecpar->codec_id);
  if (codec == nullptr) {
    fail("{}: this FFmpeg has no decoder for {} audio.", name_,
         avcodec_get_name(stream->codecpar->codec_id));
  }
  decoder_.reset(allocated(avcodec_alloc_context3(codec)));
  int status = avcodec_parameters_to_context(decoder_.get(), stream->codecpar);
  silence(*decoder_);
  // Lets the decoder drop the encoder's padding at both ends.
  decoder_->pkt_timebase = stream->time_base;
  if (status >= 0) status = avcodec_open2(decoder_.get(), codec, nullptr);
  if (status < 0) {
    fail("{}: cannot decode the {} audio: {}.", name_, codec->name, ffmpeg_error(status));
  }
}

bool AudioInput::read(AVPacket* packet) {
  for (;;) {
    const int status = av_read_frame(format_.get(), packet);
    if (status >= 0) {
      if (packet->stream_index == stream_index_) return true;
      av_packet_unref(packet);
      continue;
    }
    if (status == AVERROR(EAGAIN)) continue;
    const int medium = format_->pb != nullptr ? format_->pb->error : 0;
    if (medium < 0 && medium != AVERROR_EOF) {
      fail("Cannot read {} to its end: {}.", name_, ffmpeg_error(medium));
    }
    return false;
  }
}

AudioSource AudioInput::source() const {
  return {.format = format_->iformat->name,
          .codec = avcodec_get_name(decoder_->codec_id),
          .stream = audio_number_,
          .sample_rate = decoder_->sample_rate,
          .channels = decoder_->ch_layout.nb_channels};
}

double AudioInput::stated_seconds() const {
  if (format_->duration == AV_NOPTS_VALUE || format_->duration < 0) return 0;
  return static_cast<double>(format_->duration) / AV_TIME_BASE;
}

bool AudioInput::seekable() const {
  return format_->pb == nullptr || (format_->pb->seekable & AVIO_SEEKABLE_NORMAL) != 0;
}

}  // namespace whisper_s4y
