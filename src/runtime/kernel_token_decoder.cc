#include "runtime/kernel_token_decoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "decoding/logit_math.h"

namespace whisper_s4y {
namespace {

// Rows whose logits align() looks at together: as many as fit in the processor's caches.
constexpr size_t kAlignedRows = 8;

}  // namespace

KernelTokenDecoder::KernelTokenDecoder(const ModelState& state,
                                       std::shared_ptr<const DecoderWeights> weights,
                                       TaskTeam& team)
    : state_(state),
      pass_(std::move(weights), team),
      max_positions_(static_cast<size_t>(state.info().config.max_target_positions)),
      slots_(max_positions_) {
  std::iota(slots_.begin(), slots_.end(), 0U);
  pass_.add_slots(max_positions_);
}

std::vector<DecoderPass::Row> KernelTokenDecoder::rows_of(std::span<const int> tokens,
                                                          int position) const {
  std::vector<DecoderPass::Row> rows;
  for (const int token : tokens) {
    rows.push_back({.token = token,
                    .position = position,
                    .slots = std::span(slots_).first(static_cast<size_t>(position) + 1)});
    ++position;
  }
  return rows;
}

std::span<const float> KernelTokenDecoder::decode(std::span<const int> tokens, int position,
                                                  Cancellation* cancellation) {
  std::span<const float> logits;
  while (!tokens.empty()) {
    if (cancellation != nullptr) cancellation->check();
    const size_t count = std::min(tokens.size(), DecoderPass::kMostRows);
    fed_ = position;
    logits = pass_.run(rows_of(tokens.first(count), position), count - 1);
    position += static_cast<int>(count);
    fed_ = position;
    tokens = tokens.subspan(count);
  }
  return logits;
}

void KernelTokenDecoder::start_beams(int position) {
  if (beams_.empty()) {
    beams_.resize(static_cast<size_t>(state_.facts().max_beams));
    pass_.add_slots(beams_.size() * max_positions_);
  }
  for (Slots& beam : beams_) beam.assign(slots_.begin(), slots_.begin() + position);
}

std::span<const float> KernelTokenDecoder::decode_beams(std::span<const int> tokens,
                                                        std::span<const int> parents, int position,
                                                        Cancellation* cancellation) {
  if (cancellation != nullptr) cancellation->check();
  // Nobody else has the slot of hypothesis i at this position: those who have the slots before keep
  // them.
  std::vector<Slots> continued(beams_.size());
  std::vector<DecoderPass::Row> rows;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Slots& parent = beams_.at(static_cast<size_t>(parents[i]));
    if (parent.size() < static_cast<size_t>(position)) {
      fail(ErrorCode::invalid_argument, "Hypothesis {} has {} positions, not {}.", parents[i],
           parent.size(), position);
    }
    continued[i].assign(parent.begin(), parent.begin() + position);
    continued[i].push_back(
        static_cast<uint32_t>((i + 1) * max_positions_ + static_cast<size_t>(position)));
    rows.push_back({.token = tokens[i], .position = position, .slots = continued[i]});
  }
  beams_ = std::move(continued);
  return pass_.run(rows, 0);
}

AlignmentScores KernelTokenDecoder::align(std::span<const int> tokens, Cancellation* cancellation) {
  const ModelInfo& info = state_.info();
  const auto& heads = info.generation.alignment_heads;
  const auto width = static_cast<size_t>(info.config.max_source_positions);
  const auto vocabulary = static_cast<size_t>(info.config.vocab_size);
  const auto words = static_cast<size_t>(info.generation.eos_token_id);
  scores_.resize(heads.size() * tokens.size() * width);
  probs_.assign(tokens.size(), 0.0F);
  for (size_t done = 0; done < tokens.size(); done += kAlignedRows) {
    if (cancellation != nullptr) cancellation->check();
    const size_t count = std::min(kAlignedRows, tokens.size() - done);
    const DecoderPass::Capture capture{.heads = heads,
                                       .scores = scores_.data() + done * width,
                                       .head_stride = tokens.size() * width,
                                       .row_stride = width};
    fed_ = static_cast<int>(done);
    const std::span<const float> logits =
        pass_.run(rows_of(tokens.subspan(done, count), static_cast<int>(done)), 0, &capture);
    fed_ = static_cast<int>(done + count);
    for (size_t r = 0; r < count && done + r + 1 < tokens.size(); ++r) {
      const std::span<const float> row = logits.subspan(r * vocabulary, words);
      const auto next = static_cast<size_t>(tokens[done + r + 1]);
      if (next < words) probs_[done + r] = std::exp(row[next] - log_sum_exp(row));
    }
  }
  return {.scores = scores_,
          .heads = static_cast<int>(heads.size()),
          .rows = static_cast<int>(tokens.size()),
          .positions = info.config.max_source_positions,
          .next_token_probs = probs_};
}

}  // namespace whisper_s4y
