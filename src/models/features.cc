#include "models/features.h"

#include <fmt/format.h>

#include <numbers>

#include "config/dft_kernel.h"
#include "config/front_end.h"
#include "config/mel_filters.h"
#include "graph/ops.h"

namespace whisper_s4y {
namespace {

// The transform is a convolution over pieces of samples that divide both the window and the hop.
constexpr int kPiece = 80;
constexpr int kTaps = kFftSize / kPiece;
constexpr int kStride = kHopLength / kPiece;
static_assert(kTaps * kPiece == kFftSize && kStride * kPiece == kHopLength);

}  // namespace

Value log_mel(Graph& g, Value normalized_audio, int num_mel_bins) {
  // Reflected by half a window on both sides. openai/whisper drops the last frame, so the end that
  // only it sees is left out.
  constexpr int kEdge = kFftSize / 2;
  constexpr int kPieces = (kWindowFrames - 1) * kStride + kTaps;
  // Of three dimensions, because GPU delegates pad and slice no fewer.
  Value samples = reshape(g, normalized_audio, {1, kWindowSamples, 1});
  samples = mirror_pad(g, samples, {{0, 0}, {kEdge, kEdge}, {0, 0}});
  samples = slice(g, samples, {0, 0, 0}, {1, kPieces * kPiece, 1});
  const Value pieces = reshape(g, samples, {1, 1, kPieces, kPiece});

  const Value kernel =
      g.constant(rows_of("dft_kernel", {2 * kFftBins, 1, kTaps, kPiece}, dft_kernel(kFftSize)));
  const Value no_bias = g.constant(
      rows_of("dft_bias", {2 * kFftBins}, std::vector<float>(size_t{2} * kFftBins, 0.0F)));
  const Value spectrum = conv_2d(g, pieces, kernel, no_bias, 1, kStride, false);
  const Value power = square(g, reshape(g, spectrum, {1, kWindowFrames, 2 * kFftBins}));
  const Value sines = slice(g, power, {0, 0, kFftBins}, {1, kWindowFrames, kFftBins});
  const Value cosines = slice(g, power, {0, 0, 0}, {1, kWindowFrames, kFftBins});
  const Value energy = add(g, cosines, sines);

  const Value filters = g.constant(rows_of(fmt::format("mel_filters_{}", num_mel_bins),
                                           {num_mel_bins, kFftBins}, mel_filters(num_mel_bins)));
  const Value least = g.constant(kLeastEnergy);
  const Value mel = maximum(g, fully_connected(g, energy, filters), least);
  const Value ln_10 = g.constant(1.0F / std::numbers::ln10_v<float>);
  const Value decibel_like = mul(g, log(g, mel), ln_10);
  const Value range = g.constant(kLogRange);
  const Value floor = sub(g, reduce_max(g, decibel_like, {0, 1, 2}), range);
  const Value factor = g.constant(kLogFactor);
  const Value shift = g.constant(kLogShift);
  const Value scaled = mul(g, add(g, maximum(g, decibel_like, floor), shift), factor);
  return transpose(g, scaled, {0, 2, 1});
}

}  // namespace whisper_s4y
