#include "runtime/whisper_model.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fail.h"
#include "config/front_end.h"
#include "runtime/aligned_buffer.h"
#include "runtime/litert_model.h"
#include "runtime/model_state.h"
#include "runtime/self_cache.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kBeams = "step_beam";
constexpr std::string_view kAlign = "align";

// One call of `prefill` costs about as much as this many calls of `step`.
constexpr size_t kStepsPerPrefill = 8;

void copy_exactly(std::span<const float> from, std::span<float> to, std::string_view what) {
  if (from.size() != to.size()) {
    fail(ErrorCode::invalid_argument, "{} has {} numbers, expected {}.", what, from.size(),
         to.size());
  }
  if (from.data() != to.data()) std::ranges::copy(from, to.begin());
}

std::shared_ptr<ModelState> checked(std::shared_ptr<ModelState> state) {
  state->check_can_transcribe();
  return state;
}

// The shapes of the tensors are those of the contract: check_bundle() saw to it.

AlignedBuffer bound_input(LiteRtSignature& signature, std::string_view name) {
  AlignedBuffer buffer(signature.input(name));
  signature.bind_input(name, buffer);
  return buffer;
}

AlignedBuffer bound_output(LiteRtSignature& signature, std::string_view name) {
  AlignedBuffer buffer(signature.output(name));
  signature.bind_output(name, buffer);
  return buffer;
}

}  // namespace

struct WhisperModel::Impl {
  Impl(std::shared_ptr<ModelState> opened, int threads);
  ~Impl() { model.settle(); }  // before the memory goes

  void bind_encoder();
  void run_encoder(LiteRtSignature& part);
  void bind_decoder();
  void bind_cross(LiteRtSignature& signature);
  void load_beams();
  void load_align();
  void run_align(std::span<const int> all, size_t first);
  void check_tokens(std::span<const int> new_tokens, int fed, int at, int last) const;
  void run_step(int new_token, int at);
  void run_prefill(std::span<const int> part, int at);

  std::shared_ptr<ModelState> state;
  const ModelInfo& info;
  LiteRtModel model;
  Cancellation* cancellation = nullptr;
  LiteRtSignature& features = model.signature("features");
  LiteRtSignature& encode = model.signature("encode");
  LiteRtSignature& cross = model.signature("cross");
  LiteRtSignature& step = model.signature("step");
  LiteRtSignature& prefill = model.signature("prefill");
  int max_positions = 0;
  bool encoded = false;

  AlignedBuffer audio;
  AlignedBuffer logmel;
  AlignedBuffer hidden;
  std::map<std::string, AlignedBuffer, std::less<>> cross_caches;  // by tensor name
  AlignedBuffer token;
  AlignedBuffer position;  // of step, prefill and step_beam
  AlignedBuffer tokens;
  AlignedBuffer length;
  AlignedBuffer logits;  // of step and prefill
  std::optional<SelfCache> cache;

  int beams = 0;
  AlignedBuffer beam_tokens;
  AlignedBuffer beam_logits;
  std::optional<SelfCache> beam_cache;  // empty until the first start_beams()

  AlignedBuffer align_tokens;
  AlignedBuffer align_targets;
  AlignedBuffer align_scores;  // f32[1, heads, rows of a call, positions]
  AlignedBuffer align_probs;
  bool align_loaded = false;
  std::vector<float> scores;  // f32[heads, tokens, positions] of the last align()
  std::vector<float> probs;
};

WhisperModel::Impl::Impl(std::shared_ptr<ModelState> opened, int threads)
    : state(checked(std::move(opened))),
      info(state->info()),
      model(state->loaded(), threads),
      max_positions(info.config.max_target_positions) {
  for (const std::string_view key : {features.key(), step.key()}) model.load(state->group_of(key));
  bind_encoder();
  bind_decoder();
  beams = state->facts().max_beams;
}

void WhisperModel::Impl::bind_encoder() {
  audio = bound_input(features, "normalized_audio");
  logmel = bound_output(features, "logmel");
  encode.bind_input("input_features", logmel);
  hidden = bound_output(encode, "last_hidden_state");
  cross.bind_input("last_hidden_state", hidden);
  for (const TensorInfo& tensor : cross.outputs()) {
    cross_caches.emplace(tensor.name, bound_output(cross, tensor.name));
  }
}

void WhisperModel::Impl::bind_cross(LiteRtSignature& signature) {
  for (auto& [name, buffer] : cross_caches) signature.bind_input(name, buffer);
}

void WhisperModel::Impl::bind_decoder() {
  token = bound_input(step, "token");
  position = bound_input(step, "position");
  logits = bound_output(step, "logits");
  cache.emplace(step, max_positions);
  cache->bind(step);
  bind_cross(step);

  tokens = bound_input(prefill, "tokens");
  length = bound_input(prefill, "length");
  prefill.bind_input("position", position);
  prefill.bind_output("logits", logits);
  cache->bind(prefill);
  bind_cross(prefill);
}

void WhisperModel::Impl::load_beams() {
  if (beam_cache) return;
  LiteRtSignature& signature = model.signature(kBeams);
  model.load(state->group_of(kBeams));
  beam_tokens = bound_input(signature, "tokens");
  signature.bind_input("position", position);
  beam_logits = bound_output(signature, "logits");
  bind_cross(signature);
  SelfCache made(signature, max_positions);
  made.bind(signature);
  beam_cache = std::move(made);
}

void WhisperModel::Impl::load_align() {
  if (align_loaded) return;
  LiteRtSignature& signature = model.signature(kAlign);
  model.load(state->group_of(kAlign));
  align_tokens = bound_input(signature, "tokens");
  align_targets = bound_input(signature, "targets");
  align_scores = bound_output(signature, "scores");
  align_probs = bound_output(signature, "target_probs");
  signature.bind_input("position", position);
  cache->bind(signature);
  bind_cross(signature);
  align_loaded = true;
}

/// Feeds a row of tokens from `first` on and keeps what the model says of them.
void WhisperModel::Impl::run_align(std::span<const int> all, size_t first) {
  const std::span<int32_t> row = align_tokens.as<int32_t>();
  const std::span<int32_t> next = align_targets.as<int32_t>();
  const size_t count = std::min(row.size(), all.size() - first);
  for (size_t i = 0; i < row.size(); ++i) {
    row[i] = i < count ? all[first + i] : 0;
    next[i] = first + i + 1 < all.size() ? all[first + i + 1] : 0;
  }
  position.as<int32_t>()[0] = static_cast<int32_t>(first);
  cache->truncate(0, static_cast<int>(first));
  model.signature(kAlign).run(cancellation);
  cache->wrote(0, static_cast<int>(first), static_cast<int>(count));

  const auto width = static_cast<size_t>(info.config.max_source_positions);
  const std::span<const float> from = std::as_const(align_scores).as<float>();
  for (size_t head = 0; head < info.generation.alignment_heads.size(); ++head) {
    std::ranges::copy(from.subspan(head * row.size() * width, count * width),
                      scores.begin() + static_cast<ptrdiff_t>((head * all.size() + first) * width));
  }
  std::ranges::copy(std::as_const(align_probs).as<float>().first(count),
                    probs.begin() + static_cast<ptrdiff_t>(first));
}

/// Checks that tokens exist and can be fed at position `at` after `fed` positions, up to `last`.
void WhisperModel::Impl::check_tokens(std::span<const int> new_tokens, int fed, int at,
                                      int last) const {
  if (!encoded)
    fail(ErrorCode::invalid_argument, "Nothing to decode: encode() has not been called.");
  if (new_tokens.empty())
    fail(ErrorCode::invalid_argument, "Nothing to decode: there are no tokens.");
  if (at < 0 || at > fed) {
    fail(ErrorCode::invalid_argument, "Cannot decode at position {}: only {} positions were fed.",
         at, fed);
  }
  if (last > max_positions) {
    fail(ErrorCode::invalid_argument, "Cannot decode {} positions: the model has {}.", last,
         max_positions);
  }
  for (const int id : new_tokens) {
    if (id < 0 || id >= info.config.vocab_size) {
      fail(ErrorCode::invalid_argument, "Token {} is outside the vocabulary of {}.", id,
           info.config.vocab_size);
    }
  }
}

/// What XNNPACK computes as one op may take longer than a caller wants to wait.
void WhisperModel::Impl::run_encoder(LiteRtSignature& part) {
  if (cancellation == nullptr) {
    part.run();
  } else {
    part.run_apart(*cancellation);
  }
}

void WhisperModel::Impl::run_step(int new_token, int at) {
  token.as<int32_t>()[0] = new_token;
  position.as<int32_t>()[0] = at;
  cache->truncate(0, at);  // whatever happens
  step.run(cancellation);
  cache->wrote(0, at, 1);
}

void WhisperModel::Impl::run_prefill(std::span<const int> part, int at) {
  const std::span<int32_t> row = tokens.as<int32_t>();
  std::ranges::fill(row, 0);
  std::ranges::copy(part, row.begin());
  position.as<int32_t>()[0] = at;
  length.as<int32_t>()[0] = static_cast<int32_t>(part.size());
  cache->truncate(0, at);
  prefill.run(cancellation);
  cache->wrote(0, at, static_cast<int>(part.size()));
}

WhisperModel::WhisperModel(const std::filesystem::path& path, RuntimeOptions options)
    : WhisperModel(std::make_shared<ModelState>(
          std::make_shared<TfliteFile>(path), std::move(options), ModelState::Use::transcription)) {
}

WhisperModel::WhisperModel(std::shared_ptr<ModelState> model, int threads)
    : impl_(std::make_unique<Impl>(std::move(model), threads)) {}

WhisperModel::~WhisperModel() = default;

const ModelInfo& WhisperModel::info() const { return impl_->info; }

const std::shared_ptr<ModelState>& WhisperModel::state() const { return impl_->state; }

void WhisperModel::set_cancellation(Cancellation* cancellation) {
  impl_->cancellation = cancellation;
}

void WhisperModel::features(std::span<const float> normalized_audio, std::span<float> logmel) {
  impl_->model.settle(impl_->cancellation);
  copy_exactly(normalized_audio, impl_->audio.as<float>(), "The audio window");
  impl_->features.run(impl_->cancellation);
  copy_exactly(impl_->logmel.as<float>(), logmel, "The log-mel buffer");
}

void WhisperModel::encode(std::span<const float> input_features) {
  impl_->model.settle(impl_->cancellation);
  copy_exactly(input_features, impl_->logmel.as<float>(), "The log-mel spectrogram");
  impl_->encoded = false;
  impl_->run_encoder(impl_->encode);
  impl_->run_encoder(impl_->cross);
  impl_->cache->truncate(0, 0);
  impl_->encoded = true;
}

std::span<const float> WhisperModel::last_hidden_state() const {
  return std::as_const(impl_->hidden).as<float>();
}

std::span<const float> WhisperModel::decode(std::span<const int> tokens, int position) {
  Impl& m = *impl_;
  m.check_tokens(tokens, m.cache->length(0), position, position + static_cast<int>(tokens.size()));
  const size_t row = m.tokens.as<int32_t>().size();
  while (!tokens.empty()) {
    // `prefill` writes whole rows of the cache: near the end there is no room for that.
    const bool fits = static_cast<size_t>(position) + row <= static_cast<size_t>(m.max_positions);
    const size_t count =
        fits && tokens.size() > kStepsPerPrefill ? std::min(row, tokens.size()) : 1;
    if (count > 1) {
      m.run_prefill(tokens.first(count), position);
    } else {
      m.run_step(tokens.front(), position);
    }
    tokens = tokens.subspan(count);
    position += static_cast<int>(count);
  }
  return m.logits.as<float>();
}

int WhisperModel::max_beams() const { return impl_->beams; }

void WhisperModel::start_beams(int position) {
  Impl& m = *impl_;
  if (m.beams == 0) {
    fail(ErrorCode::unsupported, "{} has no signature \"{}\": it was converted without beams.",
         m.model.file().path().string(), kBeams);
  }
  if (position < 0)
    fail(ErrorCode::invalid_argument, "Hypotheses cannot start at position {}.", position);
  m.load_beams();
  m.beam_cache->copy_from(*m.cache, position);
}

std::span<const float> WhisperModel::decode_beams(std::span<const int> tokens,
                                                  std::span<const int> parents, int position) {
  Impl& m = *impl_;
  const size_t count = tokens.size();
  if (!m.beam_cache)
    fail(ErrorCode::invalid_argument, "Nothing to continue: start_beams() has not been called.");
  if (parents.size() != count || count > static_cast<size_t>(m.beams)) {
    fail(ErrorCode::invalid_argument,
         "{} tokens and {} parents are given for at most {} hypotheses.", count, parents.size(),
         m.beams);
  }
  m.check_tokens(tokens, m.max_positions, position, position + 1);
  m.beam_cache->reorder(parents, position);
  const std::span<int32_t> row = m.beam_tokens.as<int32_t>();
  std::ranges::fill(row, tokens.front());
  std::ranges::copy(tokens, row.begin());
  m.position.as<int32_t>()[0] = position;
  for (int i = 0; i < m.beams; ++i) m.beam_cache->truncate(i, position);
  m.model.signature(kBeams).run(m.cancellation);
  for (int i = 0; i < m.beams; ++i) {
    if (static_cast<size_t>(i) < count) {
      m.beam_cache->wrote(i, position, 1);
    } else {
      m.beam_cache->truncate(i, position);
    }
  }
  const auto vocabulary = static_cast<size_t>(m.info.config.vocab_size);
  return std::as_const(m.beam_logits).as<float>().first(count * vocabulary);
}

std::unique_ptr<DecoderModel> WhisperModel::another(int share) const {
  return std::make_unique<WhisperModel>(impl_->state, std::max(1, impl_->model.threads() / share));
}

bool WhisperModel::can_align() const { return impl_->state->facts().can_align; }

AlignmentScores WhisperModel::align(std::span<const int> tokens) {
  Impl& m = *impl_;
  if (!can_align()) return DecoderModel::align(tokens);
  m.check_tokens(tokens, 0, 0, static_cast<int>(tokens.size()));
  m.load_align();
  const size_t heads = m.info.generation.alignment_heads.size();
  const auto width = static_cast<size_t>(m.info.config.max_source_positions);
  const size_t row = m.align_tokens.as<int32_t>().size();
  m.scores.resize(heads * tokens.size() * width);
  m.probs.resize(tokens.size());
  for (size_t done = 0; done < tokens.size(); done += row) {
    // A call writes a whole row of the cache: the last one moves back to fit, and feeds again
    // what it has in common with the one before.
    m.run_align(tokens, std::min(done, static_cast<size_t>(m.max_positions) - row));
  }
  return {.scores = m.scores,
          .heads = static_cast<int>(heads),
          .rows = static_cast<int>(tokens.size()),
          .positions = m.info.config.max_source_positions,
          .next_token_probs = m.probs};
}

std::string WhisperModel::profile_summary() { return impl_->model.profile_summary(); }

}  // namespace whisper_s4y
