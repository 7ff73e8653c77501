#include "runtime/litert_token_decoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace whisper_s4y {
namespace {

constexpr std::string_view kBeams = "step_beam";
constexpr std::string_view kAlign = "align";

// One call of `prefill` costs about as much as this many calls of `step`.
constexpr size_t kStepsPerPrefill = 8;

}  // namespace

// The shapes of the tensors are those of the contract: check_bundle() saw to it.

LiteRtTokenDecoder::LiteRtTokenDecoder(const ModelState& state, LiteRtModel& model,
                                       CrossCaches& cross_caches)
    : state_(state),
      model_(model),
      cross_caches_(cross_caches),
      step_(model.signature("step")),
      prefill_(model.signature("prefill")),
      max_positions_(state.info().config.max_target_positions) {
  model.load(state.group_of(step_.key()));
  token_ = bound_input(step_, "token");
  position_ = bound_input(step_, "position");
  logits_ = bound_output(step_, "logits");
  cache_.emplace(step_, max_positions_);
  cache_->bind(step_);
  bind_cross(step_);

  tokens_ = bound_input(prefill_, "tokens");
  length_ = bound_input(prefill_, "length");
  prefill_.bind_input("position", position_);
  prefill_.bind_output("logits", logits_);
  cache_->bind(prefill_);
  bind_cross(prefill_);
}

void LiteRtTokenDecoder::bind_cross(LiteRtSignature& signature) {
  for (auto& [name, buffer] : cross_caches_) signature.bind_input(name, buffer);
}

void LiteRtTokenDecoder::load_beams() {
  if (beam_cache_) return;
  LiteRtSignature& signature = model_.signature(kBeams);
  model_.load(state_.group_of(kBeams));
  beam_tokens_ = bound_input(signature, "tokens");
  signature.bind_input("position", position_);
  beam_logits_ = bound_output(signature, "logits");
  bind_cross(signature);
  SelfCache made(signature, max_positions_);
  made.bind(signature);
  beam_cache_ = std::move(made);
}

void LiteRtTokenDecoder::load_align() {
  if (align_loaded_) return;
  LiteRtSignature& signature = model_.signature(kAlign);
  model_.load(state_.group_of(kAlign));
  align_tokens_ = bound_input(signature, "tokens");
  align_targets_ = bound_input(signature, "targets");
  align_scores_ = bound_output(signature, "scores");
  align_probs_ = bound_output(signature, "target_probs");
  signature.bind_input("position", position_);
  cache_->bind(signature);
  bind_cross(signature);
  align_loaded_ = true;
}

std::span<const float> LiteRtTokenDecoder::decode(std::span<const int> tokens, int position,
                                                  Cancellation* cancellation) {
  const size_t row = tokens_.as<int32_t>().size();
  while (!tokens.empty()) {
    // `prefill` writes whole rows of the cache: near the end there is no room for that.
    const bool fits = static_cast<size_t>(position) + row <= static_cast<size_t>(max_positions_);
    const size_t count =
        fits && tokens.size() > kStepsPerPrefill ? std::min(row, tokens.size()) : 1;
    if (count > 1) {
      run_prefill(tokens.first(count), position, cancellation);
    } else {
      run_step(tokens.front(), position, cancellation);
    }
    tokens = tokens.subspan(count);
    position += static_cast<int>(count);
  }
  return std::as_const(logits_).as<float>();
}

void LiteRtTokenDecoder::run_step(int token, int at, Cancellation* cancellation) {
  token_.as<int32_t>()[0] = token;
  position_.as<int32_t>()[0] = at;
  cache_->truncate(0, at);  // whatever happens
  step_.run(cancellation);
  cache_->wrote(0, at, 1);
}

void LiteRtTokenDecoder::run_prefill(std::span<const int> part, int at,
                                     Cancellation* cancellation) {
  const std::span<int32_t> row = tokens_.as<int32_t>();
  std::ranges::fill(row, 0);
  std::ranges::copy(part, row.begin());
  position_.as<int32_t>()[0] = at;
  length_.as<int32_t>()[0] = static_cast<int32_t>(part.size());
  cache_->truncate(0, at);
  prefill_.run(cancellation);
  cache_->wrote(0, at, static_cast<int>(part.size()));
}

void LiteRtTokenDecoder::start_beams(int position) {
  load_beams();
  beam_cache_->copy_from(*cache_, position);
}

std::span<const float> LiteRtTokenDecoder::decode_beams(std::span<const int> tokens,
                                                        std::span<const int> parents, int position,
                                                        Cancellation* cancellation) {
  beam_cache_->reorder(parents, position);
  const std::span<int32_t> row = beam_tokens_.as<int32_t>();
  std::ranges::fill(row, tokens.front());
  std::ranges::copy(tokens, row.begin());
  position_.as<int32_t>()[0] = position;
  const int beams = beam_cache_->hypotheses();
  for (int i = 0; i < beams; ++i) beam_cache_->truncate(i, position);
  model_.signature(kBeams).run(cancellation);
  for (int i = 0; i < beams; ++i) {
    if (static_cast<size_t>(i) < tokens.size()) {
      beam_cache_->wrote(i, position, 1);
    } else {
      beam_cache_->truncate(i, position);
    }
  }
  const auto vocabulary = static_cast<size_t>(state_.info().config.vocab_size);
  return std::as_const(beam_logits_).as<float>().first(tokens.size() * vocabulary);
}

AlignmentScores LiteRtTokenDecoder::align(std::span<const int> tokens, Cancellation* cancellation) {
  load_align();
  const ModelInfo& info = state_.info();
  const size_t heads = info.generation.alignment_heads.size();
  const auto width = static_cast<size_t>(info.config.max_source_positions);
  const size_t row = align_tokens_.as<int32_t>().size();
  scores_.resize(heads * tokens.size() * width);
  probs_.resize(tokens.size());
  for (size_t done = 0; done < tokens.size(); done += row) {
    // A call writes a whole row of the cache: the last one moves back to fit, and feeds again
    // what it has in common with the one before.
    run_align(tokens, std::min(done, static_cast<size_t>(max_positions_) - row), cancellation);
  }
  return {.scores = scores_,
          .heads = static_cast<int>(heads),
          .rows = static_cast<int>(tokens.size()),
          .positions = info.config.max_source_positions,
          .next_token_probs = probs_};
}

/// Feeds a row of tokens from `first` on and keeps what the model says of them.
void LiteRtTokenDecoder::run_align(std::span<const int> all, size_t first,
                                   Cancellation* cancellation) {
  const std::span<int32_t> row = align_tokens_.as<int32_t>();
  const std::span<int32_t> next = align_targets_.as<int32_t>();
  const size_t count = std::min(row.size(), all.size() - first);
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] = i < count ? all[first + i] : 0;
    next[i] = first + i + 1 < all.size() ? all[first + i + 1] : 0;
  }
  position_.as<int32_t>()[0] = static_cast<int32_t>(first);
  cache_->truncate(0, static_cast<int>(first));
  model_.signature(kAlign).run(cancellation);
  cache_->wrote(0, static_cast<int>(first), static_cast<int>(count));

  const ModelInfo& info = state_.info();
  const auto width = static_cast<size_t>(info.config.max_source_positions);
  const std::span<const float> from = std::as_const(align_scores_).as<float>();
  for (size_t head = 0; head < info.generation.alignment_heads.size(); ++head) {
    std::ranges::copy(
        from.subspan(head * row.size() * width, count * width),
        scores_.begin() + static_cast<ptrdiff_t>((head * all.size() + first) * width));
  }
  std::ranges::copy(std::as_const(align_probs_).as<float>().first(count),
                    probs_.begin() + static_cast<ptrdiff_t>(first));
}

}  // namespace whisper_s4y
