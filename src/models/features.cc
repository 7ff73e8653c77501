#include "models/features.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "common/mel_filters.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

constexpr int kBins = kFftSize / 2 + 1;
constexpr int kTaps = 3;  // hops that a window touches: 3 * 160 >= 400

/// Cosine and sine rows of the windowed DFT over three hops of samples; the last 80 taps are 0.
std::vector<float> dft_kernel() {
  constexpr int kSize = kTaps * kHopLength;
  std::vector<float> kernel(static_cast<size_t>(2 * kBins * kSize), 0.0F);
  for (int bin = 0; bin < kBins; ++bin) {
    for (int n = 0; n < kFftSize; ++n) {
      // Reducing the product first keeps the angle exact.
      const double angle = 2.0 * std::numbers::pi * ((bin * n) % kFftSize) / kFftSize;
      const double window = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / kFftSize);
      kernel[static_cast<size_t>(bin * kSize + n)] = static_cast<float>(window * std::cos(angle));
      kernel[static_cast<size_t>((kBins + bin) * kSize + n)] =
          static_cast<float>(-window * std::sin(angle));
    }
  }
  return kernel;
}

}  // namespace

Value log_mel(Graph& g, Value normalized_audio, int num_mel_bins) {
  // Reflected by half a window on both sides, then zeros up to a whole number of hops: the frame
  // that would see them is dropped.
  constexpr int kEdge = kFftSize / 2;
  constexpr int kHops = kWindowFrames + kTaps;
  constexpr int kTail = kHops * kHopLength - kWindowSamples - 2 * kEdge;
  Value samples = reshape(g, normalized_audio, {1, kWindowSamples});
  samples = mirror_pad(g, samples, {{0, 0}, {kEdge, kEdge}});
  samples = pad(g, samples, {{0, 0}, {0, kTail}});
  const Value hops = reshape(g, samples, {1, 1, kHops, kHopLength});

  const Value kernel =
      g.constant(rows_of("dft_kernel", {2 * kBins, 1, kTaps, kHopLength}, dft_kernel()));
  const Value no_bias = g.constant(
      rows_of("dft_bias", {2 * kBins}, std::vector<float>(static_cast<size_t>(2 * kBins), 0.0F)));
  const Value spectrum = conv_2d(g, hops, kernel, no_bias, 1, 1, false);
  const Value power = square(g, slice(g, reshape(g, spectrum, {1, kHops - kTaps + 1, 2 * kBins}),
                                      {0, 0, 0}, {1, kWindowFrames, 2 * kBins}));
  const Value energy = add(g, slice(g, power, {0, 0, 0}, {1, kWindowFrames, kBins}),
                           slice(g, power, {0, 0, kBins}, {1, kWindowFrames, kBins}));

  const Value filters = g.constant(rows_of(fmt::format("mel_filters_{}", num_mel_bins),
                                           {num_mel_bins, kBins}, mel_filters(num_mel_bins)));
  const Value mel = maximum(g, fully_connected(g, energy, filters), g.constant(1e-10F));
  const Value decibel_like = mul(g, log(g, mel), g.constant(1.0F / std::numbers::ln10_v<float>));
  const Value floor = sub(g, reduce_max(g, decibel_like, {0, 1, 2}), g.constant(8.0F));
  const Value scaled =
      mul(g, add(g, maximum(g, decibel_like, floor), g.constant(4.0F)), g.constant(0.25F));
  return transpose(g, scaled, {0, 2, 1});
}

}  // namespace whisper_s4y
