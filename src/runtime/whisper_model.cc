#include "runtime/whisper_model.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "common/front_end.h"
#include "runtime/aligned_buffer.h"
#include "runtime/self_cache.h"
#include "tflite/model_metadata.h"
#include "tflite/schema_generated.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

constexpr std::string_view kNeeded[] = {"features", "encode", "cross", "step", "prefill"};
constexpr std::string_view kBeams = "step_beam";
constexpr std::string_view kAlign = "align";

// One call of `prefill` costs about as much as this many calls of `step`.
constexpr size_t kStepsPerPrefill = 8;

bool has_signature(const TfliteFile& file, std::string_view key) {
  const auto* definitions = file.model().signature_defs();
  return definitions != nullptr &&
         std::any_of(definitions->begin(), definitions->end(), [&](const auto* definition) {
           return definition->signature_key()->string_view() == key;
         });
}

ModelInfo checked_info(const TfliteFile& file) {
  const std::string path = file.path().string();
  if (!has_model_metadata(file)) {
    fail("{} was not written by whisper-s4y: convert a checkpoint with `whisper-s4y convert`.",
         path);
  }
  for (const std::string_view key : kNeeded) {
    if (!has_signature(file, key)) {
      fail(
          "{} has no signature \"{}\": it holds a part of a model. Transcription needs the whole "
          "bundle, as `whisper-s4y convert` writes it without --part.",
          path, key);
    }
  }
  return read_model_info(file);
}

RuntimeOptions needed_signatures(RuntimeOptions options) {
  options.signatures.assign(std::begin(kNeeded), std::end(kNeeded));
  return options;
}

void copy_exactly(std::span<const float> from, std::span<float> to, std::string_view what) {
  if (from.size() != to.size()) {
    fail("{} has {} numbers, expected {}.", what, from.size(), to.size());
  }
  if (from.data() != to.data()) std::ranges::copy(from, to.begin());
}

}  // namespace

struct WhisperModel::Impl {
  Impl(std::shared_ptr<const TfliteFile> opened, RuntimeOptions options);

  void expect(const LiteRtSignature& signature, const TensorInfo& tensor, DType dtype,
              const Shape& shape) const;
  AlignedBuffer input(LiteRtSignature& signature, std::string_view name, DType dtype,
                      const Shape& shape) const;
  AlignedBuffer output(LiteRtSignature& signature, std::string_view name, const Shape& shape) const;
  void bind_encoder();
  void bind_decoder();
  void bind_cross(LiteRtSignature& signature);
  void load_beams();
  void load_align();
  void run_align(std::span<const int> all, size_t first);
  void check_tokens(std::span<const int> new_tokens, int fed, int at, int last) const;
  void run_step(int new_token, int at);
  void run_prefill(std::span<const int> part, int at);

  std::shared_ptr<const TfliteFile> file;
  ModelInfo info;
  LiteRtModel model;
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

WhisperModel::Impl::Impl(std::shared_ptr<const TfliteFile> opened, RuntimeOptions options)
    : file(std::move(opened)),
      info(checked_info(*file)),
      model(file, needed_signatures(std::move(options))),
      max_positions(info.config.max_target_positions) {
  bind_encoder();
  bind_decoder();
  if (model.has_signature(kBeams)) {
    const TensorInfo& row = model.signature(kBeams).input("tokens");
    if (row.shape.size() == 1) beams = row.shape[0];
    expect(model.signature(kBeams), row, DType::i32, {std::max(beams, 1)});
  }
}

void WhisperModel::Impl::expect(const LiteRtSignature& signature, const TensorInfo& tensor,
                                DType dtype, const Shape& shape) const {
  if (tensor.dtype == dtype && tensor.shape == shape) return;
  fail("{}: tensor \"{}\" of signature \"{}\" is {}, but the model's dimensions demand {}.",
       file->path().string(), tensor.name, signature.key(), tensor.description(),
       TensorInfo{tensor.name, dtype, shape}.description());
}

/// A buffer bound to an input of this shape.
AlignedBuffer WhisperModel::Impl::input(LiteRtSignature& signature, std::string_view name,
                                        DType dtype, const Shape& shape) const {
  expect(signature, signature.input(name), dtype, shape);
  AlignedBuffer buffer(signature.input(name));
  signature.bind_input(name, buffer);
  return buffer;
}

/// A buffer bound to a float32 output of this shape.
AlignedBuffer WhisperModel::Impl::output(LiteRtSignature& signature, std::string_view name,
                                         const Shape& shape) const {
  expect(signature, signature.output(name), DType::f32, shape);
  AlignedBuffer buffer(signature.output(name));
  signature.bind_output(name, buffer);
  return buffer;
}

void WhisperModel::Impl::bind_encoder() {
  const ModelConfig& config = info.config;
  const Shape mel_shape{1, config.num_mel_bins, 2 * config.max_source_positions};
  const Shape hidden_shape{1, config.max_source_positions, config.d_model};
  audio = input(features, "normalized_audio", DType::f32, {kWindowSamples});
  logmel = output(features, "logmel", mel_shape);
  expect(encode, encode.input("input_features"), DType::f32, mel_shape);
  encode.bind_input("input_features", logmel);
  hidden = output(encode, "last_hidden_state", hidden_shape);
  expect(cross, cross.input("last_hidden_state"), DType::f32, hidden_shape);
  cross.bind_input("last_hidden_state", hidden);
  for (const TensorInfo& tensor : cross.outputs()) {
    AlignedBuffer& buffer = cross_caches.emplace(tensor.name, AlignedBuffer(tensor)).first->second;
    cross.bind_output(tensor.name, buffer);
  }
}

void WhisperModel::Impl::bind_cross(LiteRtSignature& signature) {
  for (auto& [name, buffer] : cross_caches) {
    const TensorInfo& written = cross.output(name);
    expect(signature, signature.input(name), written.dtype, written.shape);
    signature.bind_input(name, buffer);
  }
}

void WhisperModel::Impl::bind_decoder() {
  token = input(step, "token", DType::i32, {1});
  position = input(step, "position", DType::i32, {1});
  logits = output(step, "logits", {1, info.config.vocab_size});
  cache.emplace(step, max_positions);
  cache->bind(step);
  bind_cross(step);

  const TensorInfo& row = prefill.input("tokens");
  tokens = input(prefill, "tokens", DType::i32, {1, row.shape.empty() ? 1 : row.shape.back()});
  length = input(prefill, "length", DType::i32, {1});
  prefill.bind_input("position", position);
  prefill.bind_output("logits", logits);
  cache->bind(prefill);
  bind_cross(prefill);
}

void WhisperModel::Impl::load_beams() {
  if (beam_cache) return;
  LiteRtSignature& signature = model.signature(kBeams);
  model.load({std::string(kBeams)});
  beam_tokens = input(signature, "tokens", DType::i32, {beams});
  signature.bind_input("position", position);
  beam_logits = output(signature, "logits", {beams, info.config.vocab_size});
  bind_cross(signature);
  SelfCache made(signature, max_positions);
  made.bind(signature);
  beam_cache = std::move(made);
}

void WhisperModel::Impl::load_align() {
  if (align_loaded) return;
  LiteRtSignature& signature = model.signature(kAlign);
  model.load({std::string(kAlign)});
  const Shape row = signature.input("tokens").shape;
  if (row.size() != 2 || row[0] != 1 || row[1] < 1 || row[1] > max_positions) {
    fail(
        "{}: tensor \"tokens\" of signature \"{}\" has shape {}, expected [1, n] with n from 1 to "
        "{}.",
        file->path().string(), kAlign, to_string(row), max_positions);
  }
  const auto heads = static_cast<int32_t>(info.generation.alignment_heads.size());
  align_tokens = input(signature, "tokens", DType::i32, row);
  align_targets = input(signature, "targets", DType::i32, row);
  align_scores = output(signature, "scores", {1, heads, row[1], info.config.max_source_positions});
  align_probs = output(signature, "target_probs", row);
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
  model.signature(kAlign).run();
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
  if (!encoded) fail("Nothing to decode: encode() has not been called.");
  if (new_tokens.empty()) fail("Nothing to decode: there are no tokens.");
  if (at < 0 || at > fed) {
    fail("Cannot decode at position {}: only {} positions were fed.", at, fed);
  }
  if (last > max_positions) {
    fail("Cannot decode {} positions: the model has {}.", last, max_positions);
  }
  for (const int id : new_tokens) {
    if (id < 0 || id >= info.config.vocab_size) {
      fail("Token {} is outside the vocabulary of {}.", id, info.config.vocab_size);
    }
  }
}

void WhisperModel::Impl::run_step(int new_token, int at) {
  token.as<int32_t>()[0] = new_token;
  position.as<int32_t>()[0] = at;
  step.run();
  cache->wrote(0, at, 1);
}

void WhisperModel::Impl::run_prefill(std::span<const int> part, int at) {
  const std::span<int32_t> row = tokens.as<int32_t>();
  std::ranges::fill(row, 0);
  std::ranges::copy(part, row.begin());
  position.as<int32_t>()[0] = at;
  length.as<int32_t>()[0] = static_cast<int32_t>(part.size());
  prefill.run();
  cache->wrote(0, at, static_cast<int>(part.size()));
}

WhisperModel::WhisperModel(const std::filesystem::path& path, RuntimeOptions options)
    : impl_(std::make_unique<Impl>(std::make_shared<TfliteFile>(path), std::move(options))) {}

WhisperModel::WhisperModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WhisperModel::~WhisperModel() = default;

const ModelInfo& WhisperModel::info() const { return impl_->info; }

void WhisperModel::features(std::span<const float> normalized_audio, std::span<float> logmel) {
  copy_exactly(normalized_audio, impl_->audio.as<float>(), "The audio window");
  impl_->features.run();
  copy_exactly(impl_->logmel.as<float>(), logmel, "The log-mel buffer");
}

void WhisperModel::encode(std::span<const float> input_features) {
  copy_exactly(input_features, impl_->logmel.as<float>(), "The log-mel spectrogram");
  impl_->encoded = false;
  impl_->encode.run();
  impl_->cross.run();
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
    fail("{} has no signature \"{}\": it was converted without beams.", m.file->path().string(),
         kBeams);
  }
  if (position < 0) fail("Hypotheses cannot start at position {}.", position);
  m.load_beams();
  m.beam_cache->copy_from(*m.cache, position);
}

std::span<const float> WhisperModel::decode_beams(std::span<const int> tokens,
                                                  std::span<const int> parents, int position) {
  Impl& m = *impl_;
  const size_t count = tokens.size();
  if (!m.beam_cache) fail("Nothing to continue: start_beams() has not been called.");
  if (parents.size() != count || count > static_cast<size_t>(m.beams)) {
    fail("{} tokens and {} parents are given for at most {} hypotheses.", count, parents.size(),
         m.beams);
  }
  m.check_tokens(tokens, m.max_positions, position, position + 1);
  m.beam_cache->reorder(parents, position);
  const std::span<int32_t> row = m.beam_tokens.as<int32_t>();
  std::ranges::fill(row, tokens.front());
  std::ranges::copy(tokens, row.begin());
  m.position.as<int32_t>()[0] = position;
  m.model.signature(kBeams).run();
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
  RuntimeOptions options = impl_->model.options();
  options.threads = std::max(1, options.threads / share);
  auto impl = std::make_unique<Impl>(impl_->file, std::move(options));
  return std::unique_ptr<DecoderModel>(new WhisperModel(std::move(impl)));
}

bool WhisperModel::can_align() const { return impl_->model.has_signature(kAlign); }

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
