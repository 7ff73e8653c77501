#include "audio/audio_decoding.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "audio/channel_choice.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

// A stated length may be off by a packet, and by rounding in a long file.
constexpr double kLengthTolerance = 0.25;      // seconds
constexpr double kLengthTolerancePart = 1e-3;  // of the length
// Less is no more than the beginning of a recording in which one channel leads the other.
constexpr double kShortCancellation = 0.5;  // seconds

std::string about(double seconds) {
  return seconds < 0.1 ? "less than 0.1 s" : fmt::format("about {:.1f} s", seconds);
}

}  // namespace

AudioDecoding::AudioDecoding(AudioInput& input, const AudioOptions& options)
    : input_(input),
      source_(input.source()),
      channels_(input.name(), channel_choice(options.channel), source_.channels),
      timeline_(input.has_discontinuities()) {}

const AudioDecoding::Pieces* AudioDecoding::next() {
  pieces_.clear();
  switch (state_) {
    case State::reading:
      read_packet();
      break;
    case State::receiving:
      receive();
      break;
    case State::waiting:
      if (silence_ > 0) {
        give_silence();
      } else {
        give(channels_.convert(*frame_));
        av_frame_unref(frame_.get());
        state_ = State::receiving;
      }
      break;
    case State::ending:
      end();
      break;
    case State::over:
      return nullptr;
  }
  return &pieces_;
}

void AudioDecoding::read_packet() {
  if (input_.read(packet_.get())) {
    ++packets_;
    send(packet_.get());
    av_packet_unref(packet_.get());
  } else {
    is_draining_ = true;
    send(nullptr);
  }
}

// A null packet drains the decoder.
void AudioDecoding::send(const AVPacket* packet) {
  is_header_ = packet != nullptr && input_.is_header(*packet);
  packet_seconds_ = packet != nullptr && packet->duration > 0
                        ? static_cast<double>(packet->duration) * input_.time_base()
                        : 0;
  const int status = avcodec_send_packet(input_.decoder(), packet);
  if (status == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (status < 0) {
    count_corrupt();
    state_ = is_draining_ ? State::ending : State::reading;
  } else {
    state_ = State::receiving;
  }
}

void AudioDecoding::receive() {
  const int status = avcodec_receive_frame(input_.decoder(), frame_.get());
  if (status == AVERROR(ENOMEM)) throw std::bad_alloc();
  if (status < 0) {
    if (status != AVERROR(EAGAIN) && status != AVERROR_EOF) count_corrupt();
    state_ = is_draining_ ? State::ending : State::reading;
  } else if (frame_->nb_samples > 0 && frame_->sample_rate > 0) {
    place(*frame_);
    state_ = State::waiting;
  } else {
    av_frame_unref(frame_.get());
  }
}

void AudioDecoding::count_corrupt() {
  if (is_draining_ || is_header_) return;
  ++source_.corrupt_packets;
  corrupt_seconds_ += packet_seconds_ > 0 ? packet_seconds_ : frame_seconds_;
}

void AudioDecoding::place(const AVFrame& frame) {
  source_.sample_rate = frame.sample_rate;
  source_.channels = frame.ch_layout.nb_channels;
  frame_seconds_ = static_cast<double>(frame.nb_samples) / frame.sample_rate;
  std::optional<double> seconds;
  if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
    seconds = static_cast<double>(frame.best_effort_timestamp) * input_.time_base() -
              input_.zero() - input_.frame_lag(frame);
  }
  const Timeline::Step step = timeline_.next(seconds, frame.nb_samples, frame.sample_rate);
  if (step.ends_run) give(channels_.flush());
  silence_ = step.silence;
  skip_ += step.skipped;
}

void AudioDecoding::give_silence() {
  zeros_.resize(kSampleRate);
  const auto count = std::min<int64_t>(silence_, kSampleRate);
  silence_ -= count;
  const auto piece = std::span<const float>(zeros_).first(static_cast<size_t>(count));
  give(Pieces(static_cast<size_t>(channels_.outputs()), piece));
}

void AudioDecoding::give(const Pieces& pieces) {
  if (pieces.empty() || pieces.front().empty()) return;
  const auto size = static_cast<int64_t>(pieces.front().size());
  const int64_t skipped = std::min(skip_, size);
  skip_ -= skipped;
  if (skipped == size) return;
  for (const auto& piece : pieces) pieces_.push_back(piece.subspan(static_cast<size_t>(skipped)));
  source_.samples += size - skipped;
}

void AudioDecoding::end() {
  give(channels_.flush());
  if (source_.samples == 0) report_nothing();
  report_losses();
  state_ = State::over;
}

void AudioDecoding::report_nothing() const {
  if (source_.corrupt_packets > 0) {
    fail("{} holds no {} audio that can be decoded: {} of {} packets are damaged.", input_.name(),
         source_.codec, source_.corrupt_packets, packets_);
  }
  fail("{} has an audio stream without any sound in it{}.", input_.name(),
       input_.seekable() ? "" : "; if its format has the index at the end, give it as a file");
}

void AudioDecoding::report_losses() {
  const auto warn = [&]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
    source_.warnings.push_back(fmt::format(format, std::forward<Args>(args)...));
  };
  if (source_.corrupt_packets > 0) {
    const bool one = source_.corrupt_packets == 1;
    warn("{}: {} of {} packets {} damaged and {} left out, {} of sound.", input_.name(),
         source_.corrupt_packets, packets_, one ? "is" : "are", one ? "was" : "were",
         about(corrupt_seconds_));
  }
  if (timeline_.gaps() > 0) {
    warn("{}: packets are missing in {} place{}, {} in all; silence stands there.", input_.name(),
         timeline_.gaps(), timeline_.gaps() == 1 ? "" : "s", about(timeline_.gap_seconds()));
  }
  if (timeline_.ignored_jumps() > 0) {
    const std::string times = timeline_.ignored_jumps() == 1
                                  ? "once"
                                  : fmt::format("{} times", timeline_.ignored_jumps());
    warn("{}: the timestamps jump {}, too far for a pause; the sound was joined there.",
         input_.name(), times);
  }
  report_length();
  for (std::string& fault : input_.faults()) source_.warnings.push_back(std::move(fault));
  if (channels_.cancelled_seconds() > kShortCancellation) {
    warn(
        "{}: the channels cancel each other out for {:.1f} s; channel {}, the loudest, was taken "
        "there.",
        input_.name(), channels_.cancelled_seconds(),
        channel_name(channels_.loudest(), source_.channels));
  }
}

void AudioDecoding::report_length() {
  const auto stated = input_.stated_end();
  // Where jumps were not followed the length is another.
  if (!stated || timeline_.ignored_jumps() > 0) return;
  const double read = static_cast<double>(source_.samples) / kSampleRate;
  const double tolerance = kLengthTolerance + kLengthTolerancePart * *stated;
  if (read < *stated - tolerance) {
    source_.warnings.push_back(fmt::format(
        "{} should last {:.1f} s, but only {:.1f} s could be read: it is cut off or damaged.",
        input_.name(), *stated, read));
  } else if (read > *stated + tolerance && !input_.may_last_longer()) {
    source_.warnings.push_back(
        fmt::format("{} should last {:.1f} s, but {:.1f} s were read: its header is wrong.",
                    input_.name(), *stated, read));
  }
}

}  // namespace whisper_s4y
