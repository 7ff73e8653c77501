#include "audio/audio_input.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "audio/audio_options.h"
#include "audio/formats.h"
#include "audio/language_tags.h"
#include "audio/ogg_end.h"
#include "audio/wav_header.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

// Of a recording's samples, a second. A header that states less makes hours of a few bytes.
constexpr int kLeastRate = 1000;

// A beginning later than this is the clock of a broadcast, not a pause.
constexpr double kLatestStart = 6 * 3600;  // seconds

// For FFmpeg's wish to open something else.
int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

// FFmpeg's name and options for audio without a header.
const AVInputFormat* pcm_format(const AudioOptions& options, AVDictionary** dictionary) {
  const char* name = options.pcm_format == PcmFormat::s16le ? "s16le" : "f32le";
  const AVInputFormat* format = av_find_input_format(name);
  if (format == nullptr) fail("This FFmpeg cannot read raw PCM of the kind {}.", name);
  const std::string layout = fmt::format("{} channels", options.pcm_channels);
  av_dict_set_int(dictionary, "sample_rate", options.pcm_rate, 0);
  av_dict_set(dictionary, "ch_layout", layout.c_str(), 0);
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

double in_seconds(int64_t timestamp, AVRational unit) {
  return static_cast<double>(timestamp) * av_q2d(unit);
}

std::string tag(const AVStream& stream, const char* key) {
  const AVDictionaryEntry* entry = av_dict_get(stream.metadata, key, nullptr, 0);
  return entry == nullptr ? "" : entry->value;
}

// "00:00:11.021000000", as Matroska files state the end of a track.
std::optional<double> clock_time(const std::string& text) {
  int hours = 0;
  int minutes = 0;
  double seconds = 0;
  if (std::sscanf(text.c_str(), "%d:%d:%lf", &hours, &minutes, &seconds) != 3) return std::nullopt;
  return hours * 3600.0 + minutes * 60.0 + seconds;
}

bool has_name(const AVInputFormat& format, std::string_view name) {
  return std::string_view(format.name).substr(0, name.size()) == name;
}

bool is_moving_picture(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0;
}

// "1 (English), 2 (ger, "Director")"
std::string described(const AudioTrack& track) {
  std::vector<std::string> facts;
  if (!track.language.empty()) facts.push_back(track.language);
  if (!track.title.empty()) facts.push_back('"' + track.title + '"');
  if (facts.empty()) return fmt::format("{}", track.number);
  return fmt::format("{} ({})", track.number, fmt::join(facts, ", "));
}

std::string described(const std::vector<AudioTrack>& tracks) {
  std::vector<std::string> all(tracks.size());
  std::ranges::transform(tracks, all.begin(),
                         [](const AudioTrack& track) { return described(track); });
  return fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

AudioInput::AudioInput(const std::filesystem::path& path, const AudioOptions& options)
    : stream_(path) {
  open(options);
}

AudioInput::AudioInput(std::span<const std::byte> file, std::string_view name,
                       const AudioOptions& options)
    : stream_(file, name) {
  open(options);
}

AudioInput::AudioInput(std::shared_ptr<ByteSource> file, std::string_view name,
                       const AudioOptions& options)
    : stream_(std::move(file), name) {
  open(options);
}

void AudioInput::reopen(const AudioOptions& options) {
  decoder_.reset();
  format_.reset();
  audio_streams_.clear();
  stream_.rewind();
  open(options);
}

// The same look at the bytes that avformat_open_input() would take.
const AVInputFormat* AudioInput::probed_format() const {
  const AVInputFormat* format = nullptr;
  const int status =
      av_probe_input_buffer2(stream_.io(), &format, stream_.file_name().c_str(), nullptr, 0, 0);
  stream_.rethrow();
  if (status == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (stream_.io()->error < 0 && stream_.io()->error != AVERROR_EOF) {
    fail("Cannot read {}: {}.", name(), ffmpeg_error(stream_.io()->error));
  }
  if (status < 0 || format == nullptr) {
    if (avio_feof(stream_.io()) != 0 && avio_tell(stream_.io()) == 0) {
      fail("Cannot read {}: it is empty.", name());
    }
    constexpr size_t kLookedAt = 2048;  // bytes
    if (const auto refusal = refusal_of_list(stream_.peek(0, kLookedAt))) {
      fail("Cannot read {}: {}.", name(), *refusal);
    }
    fail("Cannot read {}: it is not an audio or video file, or it is damaged ({}).", name(),
         ffmpeg_error(status < 0 ? status : AVERROR_INVALIDDATA));
  }
  if (!is_allowed(*format)) fail("Cannot read {}: {}.", name(), refusal(*format));
  return format;
}

void AudioInput::open(const AudioOptions& options) {
  options.validate();
  AVDictionary* dictionary = nullptr;
  const AVInputFormat* input_format =
      options.pcm_rate != 0 ? pcm_format(options, &dictionary) : probed_format();

  AVFormatContext* format = avformat_alloc_context();
  if (format == nullptr) {
    av_dict_free(&dictionary);
    throw std::bad_alloc();
  }
  silence(*format);
  format->pb = stream_.io();
  format->io_open = refuse_to_open;
  format->protocol_whitelist = av_strdup("none");
  // Frees `format` when it fails.
  const int opened =
      avformat_open_input(&format, stream_.file_name().c_str(), input_format, &dictionary);
  av_dict_free(&dictionary);
  if (opened >= 0) format_.reset(format);
  stream_.rethrow();
  if (opened == AVERROR_EOF) {
    fail("Cannot read {}: it ends before any sound begins; it is cut off or damaged.", name());
  }
  if (opened == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (opened < 0) {
    // Readers give many codes for bytes they cannot make sense of.
    fail("Cannot read {}: it is not an audio or video file, or it is damaged ({}).", name(),
         ffmpeg_error(opened));
  }

  const int found = avformat_find_stream_info(format_.get(), nullptr);
  stream_.rethrow();
  if (found < 0) fail("Cannot read {}: {}.", name(), ffmpeg_error(found));
  choose_track(options.track);
  zero_ = beginning();
  open_decoder();
}

void AudioInput::choose_track(const std::string& wanted) {
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (format_->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
      audio_streams_.push_back(static_cast<int>(i));
    }
  }
  if (audio_streams_.empty()) {
    const std::string kinds = kinds_of_streams(*format_);
    fail("{} has no audio stream{}{}.", name(), kinds.empty() ? "" : ", only ", kinds);
  }
  const int best = av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  const auto found = std::ranges::find(audio_streams_, best);
  main_ = found == audio_streams_.end() ? 0 : static_cast<size_t>(found - audio_streams_.begin());
  chosen_ = main_;
  asked_for_ = !wanted.empty();
  if (const auto number = whole_number(wanted)) {
    if (static_cast<size_t>(*number) > audio_streams_.size()) {
      fail("{} has no audio track {}: it has {}, counted from 1.", name(), *number,
           audio_streams_.size());
    }
    chosen_ = static_cast<size_t>(*number) - 1;
  } else if (!wanted.empty()) {
    const std::vector<AudioTrack> tracks = info().tracks;
    const auto match = std::ranges::find_if(
        tracks, [&](const AudioTrack& one) { return is_same_language(one.language, wanted); });
    if (match == tracks.end()) {
      fail("{} has no audio track in the language \"{}\"; it has {}.", name(), wanted,
           described(tracks));
    }
    chosen_ = static_cast<size_t>(match - tracks.begin());
  }
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    if (static_cast<int>(i) != audio_streams_[chosen_]) {
      format_->streams[i]->discard = AVDISCARD_ALL;
    }
  }
}

AudioTrack AudioInput::track(size_t index) const {
  const AVStream& stream = *format_->streams[audio_streams_[index]];
  AudioTrack track{.number = static_cast<int>(index) + 1,
                   .codec = avcodec_get_name(stream.codecpar->codec_id),
                   .language = tag(stream, "language"),
                   .title = tag(stream, "title"),
                   .sample_rate = stream.codecpar->sample_rate,
                   .channels = stream.codecpar->ch_layout.nb_channels,
                   .is_main = index == main_};
  if (track.language == "und") track.language.clear();
  track.start = start_of(stream);
  track.seconds = std::max(0.0, stated_end(stream).value_or(0) - track.start);
  return track;
}

AudioInfo AudioInput::info() const {
  AudioInfo info{.format = format_->iformat->name};
  if (format_->duration != AV_NOPTS_VALUE && format_->duration > 0) {
    info.seconds = in_seconds(format_->duration, AV_TIME_BASE_Q);
  }
  for (size_t i = 0; i < audio_streams_.size(); ++i) info.tracks.push_back(track(i));
  return info;
}

// Some containers have a clock that begins at 0; in others the first packet of sound or picture
// has any time, and players begin there.
double AudioInput::beginning() const {
  double first = std::numeric_limits<double>::infinity();
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    const bool counts =
        stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO || is_moving_picture(stream);
    if (!counts || stream.start_time == AV_NOPTS_VALUE) continue;
    first = std::min(first, in_seconds(stream.start_time, stream.time_base));
  }
  if (first == std::numeric_limits<double>::infinity()) return 0;
  const AVInputFormat& format = *format_->iformat;
  const bool begins_at_zero =
      has_name(format, "mov") || has_name(format, "matroska") || has_name(format, "avi");
  return begins_at_zero && first < kLatestStart ? 0 : first;
}

void AudioInput::open_decoder() {
  const AVStream* stream = format_->streams[audio_streams_[chosen_]];
  const AVCodec* codec = avcodec_find_decoder(stream->codecpar->codec_id);
  if (codec == nullptr) {
    fail("{}: this FFmpeg has no decoder for {} audio.", name(),
         avcodec_get_name(stream->codecpar->codec_id));
  }
  const int rate = stream->codecpar->sample_rate;
  if (rate > 0 && rate < kLeastRate) {
    fail("{} states {} samples a second; nobody can be understood below {}.", name(), rate,
         kLeastRate);
  }
  decoder_.reset(allocated(avcodec_alloc_context3(codec)));
  int status = avcodec_parameters_to_context(decoder_.get(), stream->codecpar);
  silence(*decoder_);
  // Lets the decoder drop the encoder's padding at both ends.
  decoder_->pkt_timebase = stream->time_base;
  if (status >= 0) status = avcodec_open2(decoder_.get(), codec, nullptr);
  if (status < 0) {
    fail("{}: cannot decode the {} audio: {}.", name(), codec->name, ffmpeg_error(status));
  }
}

bool AudioInput::read(AVPacket* packet) {
  for (;;) {
    const int status = av_read_frame(format_.get(), packet);
    if (status >= 0) {
      if (packet->stream_index == audio_streams_[chosen_]) return true;
      av_packet_unref(packet);
      continue;
    }
    stream_.rethrow();
    if (status == AVERROR(EAGAIN)) continue;
    if (status == AVERROR(ENOMEM)) throw std::bad_alloc();
    const int medium = format_->pb != nullptr ? format_->pb->error : 0;
    if (medium < 0 && medium != AVERROR_EOF) {
      fail("Cannot read {} to its end: {}.", name(), ffmpeg_error(medium));
    }
    return false;
  }
}

double AudioInput::time_base() const {
  return av_q2d(format_->streams[audio_streams_[chosen_]]->time_base);
}

bool AudioInput::has_discontinuities() const {
  // FFmpeg says so of Ogg as well, in which a later link begins anew but no clock jumps.
  return (format_->iformat->flags & AVFMT_TS_DISCONT) != 0 && !has_name(*format_->iformat, "ogg");
}

AudioSource AudioInput::source() const {
  AudioSource source{.format = format_->iformat->name,
                     .codec = avcodec_get_name(decoder_->codec_id),
                     .track = static_cast<int>(chosen_) + 1,
                     .sample_rate = decoder_->sample_rate,
                     .channels = decoder_->ch_layout.nb_channels};
  if (audio_streams_.size() > 1 && !asked_for_) {
    source.warnings.push_back(fmt::format("{} has {} audio tracks, {}; track {} was taken.", name(),
                                          audio_streams_.size(), described(info().tracks),
                                          source.track));
  }
  return source;
}

double AudioInput::start_of(const AVStream& stream) const {
  if (stream.start_time == AV_NOPTS_VALUE) return 0;
  return std::max(0.0, in_seconds(stream.start_time, stream.time_base) - zero_);
}

std::optional<double> AudioInput::stated_end() const {
  return stated_end(*format_->streams[audio_streams_[chosen_]]);
}

std::optional<double> AudioInput::stated_end(const AVStream& stream) const {
  const AVInputFormat& format = *format_->iformat;
  // FFmpeg believes the size of the file more than the header.
  if (has_name(format, "wav")) {
    const auto length = wav_length(stream_);
    return length ? std::optional(length->seconds) : std::nullopt;
  }
  if (has_name(format, "ogg")) return std::nullopt;  // its last page tells, not a header
  if (format_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE) return std::nullopt;
  if (const auto end = clock_time(tag(stream, "DURATION"))) return end;
  // Where tracks have no length of their own FFmpeg gives them the container's.
  const bool alone =
      std::count_if(
          format_->streams, format_->streams + format_->nb_streams, [](const AVStream* other) {
            return other->codecpar->codec_type == AVMEDIA_TYPE_AUDIO || is_moving_picture(*other);
          }) == 1;
  if (!alone && !has_name(format, "mov")) return std::nullopt;
  const double start = start_of(stream);
  if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0) {
    return start + in_seconds(stream.duration, stream.time_base);
  }
  if (format_->duration != AV_NOPTS_VALUE && format_->duration > 0) {
    return start + in_seconds(format_->duration, AV_TIME_BASE_Q);
  }
  return std::nullopt;
}

std::vector<std::string> AudioInput::faults() const {
  std::vector<std::string> sentences;
  if (has_name(*format_->iformat, "ogg") && !ogg_ends_well(stream_)) {
    sentences.push_back(
        fmt::format("{} has no end: it is cut off, or it is still being written.", name()));
  }
  constexpr double kShortRest = 0.1;  // seconds
  const auto wav = has_name(*format_->iformat, "wav") ? wav_length(stream_) : std::nullopt;
  if (wav && wav->seconds_after > kShortRest) {
    sentences.push_back(
        fmt::format("{}: its header states {:.1f} s; what follows, about {:.1f} s, was not read.",
                    name(), wav->seconds, wav->seconds_after));
  }
  return sentences;
}

bool AudioInput::is_header(const AVPacket& packet) const {
  const std::string_view bytes(reinterpret_cast<const char*>(packet.data),
                               std::min<size_t>(static_cast<size_t>(packet.size), 200));
  const auto has = [&](std::string_view mark) {
    return bytes.find(mark) != std::string_view::npos;
  };
  switch (decoder_->codec_id) {
    case AV_CODEC_ID_OPUS:
      return has("OpusHead") || has("OpusTags");
    case AV_CODEC_ID_VORBIS:
      return has("vorbis");
    case AV_CODEC_ID_MP3:
      return has("Xing") || has("Info");
    default:
      return false;
  }
}

bool AudioInput::may_last_longer() const { return has_name(*format_->iformat, "matroska"); }

double AudioInput::frame_lag(const AVFrame& frame) const {
  const bool lags =
      decoder_->codec_id == AV_CODEC_ID_WMAV1 || decoder_->codec_id == AV_CODEC_ID_WMAV2;
  return lags ? static_cast<double>(frame.nb_samples) / frame.sample_rate : 0;
}

}  // namespace whisper_s4y
