#include "audio/channels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/fail.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

// A mix of channels that have nothing to do with each other has the power of its parts together,
// in phase it has more. Less than this part of it means that they cancel each other out.
constexpr double kCancelled = 0.05;
constexpr double kMemory = 0.5 * kSampleRate;  // samples over which power is averaged
constexpr double kSilence = 1e-8;              // mean square: -80 dB

double square_sum(std::span<const float> samples) {
  return std::inner_product(samples.begin(), samples.end(), samples.begin(), 0.0);
}

}  // namespace

ChannelReader::ChannelReader(std::string name, ChannelChoice choice, int channels)
    : name_(std::move(name)), choice_(choice), wanted_(name_, choice) {
  using Kind = ChannelChoice::Kind;
  if (choice.kind == Kind::one && choice.index >= channels) {
    fail("{} has no channel {}: it has {}, counted from 1.", name_, choice.index + 1, channels);
  }
  if (choice.kind == Kind::each) outputs_ = channels;
}

const std::vector<std::span<const float>>& ChannelReader::convert(const AVFrame& frame) {
  const int channels = frame.ch_layout.nb_channels;
  if (choice_.kind == ChannelChoice::Kind::each && channels != outputs_) {
    fail("{}: the number of channels changes from {} to {}; take their mix.", name_, outputs_,
         channels);
  }
  wanted_.convert(frame);
  if (choice_.kind == ChannelChoice::Kind::mix) watch(frame);
  return pieces();
}

const std::vector<std::span<const float>>& ChannelReader::flush() {
  wanted_.flush();
  if (all_) all_->flush();
  return pieces();
}

void ChannelReader::watch(const AVFrame& frame) {
  const int channels = frame.ch_layout.nb_channels;
  if (all_ && all_->outputs() != channels) all_.reset();
  if (!all_ && channels > 1) {
    all_.emplace(name_, ChannelChoice{ChannelChoice::Kind::each});
    weights_ = mix_weights(frame.ch_layout);
    powers_.assign(static_cast<size_t>(channels), 0.0);
    taken_alone_.resize(static_cast<size_t>(channels));
    mix_power_ = 0;
  }
  if (all_) all_->convert(frame);
}

const std::vector<std::span<const float>>& ChannelReader::pieces() {
  pieces_.clear();
  for (int i = 0; i < wanted_.outputs(); ++i) pieces_.push_back(wanted_.samples(i));
  if (!all_ || pieces_.empty()) return pieces_;
  const size_t count = pieces_[0].size();
  // A change of form inside the stream may leave them of unlike length for once.
  if (count == 0 || all_->samples(0).size() != count) return pieces_;
  if (cancel_out(pieces_[0], count)) {
    const auto loudest = static_cast<int>(std::ranges::max_element(powers_) - powers_.begin());
    taken_alone_[static_cast<size_t>(loudest)] += static_cast<int64_t>(count);
    pieces_[0] = all_->samples(loudest);
  }
  return pieces_;
}

bool ChannelReader::cancel_out(std::span<const float> mix, size_t samples) {
  const double kept = std::exp(-static_cast<double>(samples) / kMemory);
  mix_power_ = mix_power_ * kept + square_sum(mix);
  double expected = 0;
  double loudest = 0;
  for (size_t i = 0; i < powers_.size(); ++i) {
    powers_[i] = powers_[i] * kept + square_sum(all_->samples(static_cast<int>(i)));
    expected += weights_[i] * weights_[i] * powers_[i];
    loudest = std::max(loudest, powers_[i]);
  }
  return loudest > kSilence * kMemory && mix_power_ < kCancelled * expected;
}

double ChannelReader::cancelled_seconds() const {
  return static_cast<double>(
             std::accumulate(taken_alone_.begin(), taken_alone_.end(), int64_t{0})) /
         kSampleRate;
}

int ChannelReader::loudest() const {
  return static_cast<int>(std::ranges::max_element(taken_alone_) - taken_alone_.begin());
}

}  // namespace whisper_s4y
