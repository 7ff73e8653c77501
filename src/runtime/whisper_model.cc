#include "runtime/whisper_model.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "common/fail.h"
#include "config/front_end.h"
#include "kernels/task_team.h"
#include "runtime/background.h"
#include "runtime/kernel_network.h"
#include "runtime/litert_network.h"
#include "runtime/model_state.h"

namespace whisper_s4y {
namespace {

void check_size(std::span<const float> numbers, size_t expected, std::string_view what) {
  if (numbers.size() == expected) return;
  fail(ErrorCode::invalid_argument, "{} has {} numbers, expected {}.", what, numbers.size(),
       expected);
}

std::shared_ptr<ModelState> checked(std::shared_ptr<ModelState> state) {
  state->check_can_transcribe();
  return state;
}

}  // namespace

struct WhisperModel::Impl {
  Impl(std::shared_ptr<ModelState> opened, int threads_or_none);

  void check_tokens(std::span<const int> new_tokens, int fed, int at, int last) const;
  void encode(std::span<const float> input_features, const WindowPositions* positions);

  std::shared_ptr<ModelState> state;
  const ModelInfo& info;
  int threads;
  size_t logmel_size;
  Cancellation* cancellation = nullptr;
  bool encoded = false;

  std::optional<TaskTeam> team;       // where kernels of our own compute something
  std::optional<LiteRtModel> litert;  // where LiteRT does
  std::unique_ptr<FrontEnd> front_end;
  std::unique_ptr<Network> network;
};

// The shapes of the signatures' tensors are those of the contract: check_bundle() saw to it.
WhisperModel::Impl::Impl(std::shared_ptr<ModelState> opened, int threads_or_none)
    : state(checked(std::move(opened))),
      info(state->info()),
      threads(threads_or_none > 0 ? threads_or_none : state->options().threads),
      logmel_size(static_cast<size_t>(info.config.num_mel_bins) * kWindowFrames) {
  const auto& weights = state->kernel_weights();
  if (weights) team.emplace(static_cast<size_t>(threads));
  if (weights && weights->front_end) {
    front_end = std::make_unique<KernelFrontEnd>(info.config.num_mel_bins, *team);
  } else {
    litert.emplace(state->loaded(), threads);
    litert->load(weights ? SignatureGroup{{"features"}, {"features"}}
                         : state->group_of("features"));
    front_end = std::make_unique<LiteRtFrontEnd>(*litert);
  }
  if (weights) {
    network = std::make_unique<KernelNetwork>(*state, *weights, *team);
  } else {
    network = std::make_unique<LiteRtNetwork>(*state, *litert);
  }
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
  if (last > info.config.max_target_positions) {
    fail(ErrorCode::invalid_argument, "Cannot decode {} positions: the model has {}.", last,
         info.config.max_target_positions);
  }
  for (const int id : new_tokens) {
    if (id < 0 || id >= info.config.vocab_size) {
      fail(ErrorCode::invalid_argument, "Token {} is outside the vocabulary of {}.", id,
           info.config.vocab_size);
    }
  }
}

void WhisperModel::Impl::encode(std::span<const float> input_features,
                                const WindowPositions* positions) {
  check_size(input_features, logmel_size, "The log-mel spectrogram");
  encoded = false;
  network->encode(input_features, positions, cancellation);
  network->decoder().start_window();
  encoded = true;
}

WhisperModel::WhisperModel(const std::filesystem::path& path, RuntimeOptions options)
    : WhisperModel(std::make_shared<ModelState>(
          std::make_shared<TfliteFile>(path), std::move(options), ModelState::Use::transcription)) {
}

WhisperModel::WhisperModel(std::shared_ptr<ModelState> model, int threads)
    : impl_(std::make_unique<Impl>(std::move(model), threads)) {}

WhisperModel::~WhisperModel() {
  const bool is_running = impl_->litert && impl_->litert->is_running();
  leave(std::move(impl_), is_running);
}

const ModelInfo& WhisperModel::info() const { return impl_->info; }

const std::shared_ptr<ModelState>& WhisperModel::state() const { return impl_->state; }

void WhisperModel::set_cancellation(Cancellation* cancellation) {
  impl_->cancellation = cancellation;
}

void WhisperModel::features(std::span<const float> normalized_audio, std::span<float> logmel) {
  check_size(normalized_audio, kWindowSamples, "The audio window");
  check_size(logmel, impl_->logmel_size, "The log-mel buffer");
  impl_->front_end->run(normalized_audio, logmel, impl_->cancellation);
}

void WhisperModel::encode(std::span<const float> input_features) {
  impl_->encode(input_features, nullptr);
}

bool WhisperModel::can_sample() const { return impl_->network->can_sample(); }

void WhisperModel::encode_sampled(std::span<const float> input_features,
                                  const WindowPositions& positions) {
  if (!can_sample()) return DecoderModel::encode_sampled(input_features, positions);
  impl_->encode(input_features, &positions);
}

std::span<const float> WhisperModel::last_hidden_state() const {
  return std::as_const(*impl_->network).last_hidden_state();
}

std::span<const float> WhisperModel::decode(std::span<const int> tokens, int position) {
  Impl& m = *impl_;
  m.check_tokens(tokens, m.network->decoder().fed(), position,
                 position + static_cast<int>(tokens.size()));
  return m.network->decoder().decode(tokens, position, m.cancellation);
}

int WhisperModel::max_beams() const { return impl_->state->facts().max_beams; }

void WhisperModel::start_beams(int position) {
  Impl& m = *impl_;
  if (max_beams() == 0) {
    fail(ErrorCode::unsupported,
         "{} has no signature \"step_beam\": it was converted without beams.",
         m.state->path().string());
  }
  if (position < 0 || position > m.network->decoder().fed()) {
    fail(ErrorCode::invalid_argument,
         "Hypotheses cannot start at position {}: {} positions were fed.", position,
         m.network->decoder().fed());
  }
  m.network->decoder().start_beams(position);
}

std::span<const float> WhisperModel::decode_beams(std::span<const int> tokens,
                                                  std::span<const int> parents, int position) {
  Impl& m = *impl_;
  const auto most = static_cast<size_t>(max_beams());
  if (!m.network->decoder().has_beams())
    fail(ErrorCode::invalid_argument, "Nothing to continue: start_beams() has not been called.");
  if (parents.size() != tokens.size() || tokens.size() > most) {
    fail(ErrorCode::invalid_argument,
         "{} tokens and {} parents are given for at most {} hypotheses.", tokens.size(),
         parents.size(), most);
  }
  for (const int parent : parents) {
    if (parent < 0 || static_cast<size_t>(parent) >= most) {
      fail(ErrorCode::invalid_argument, "There is no hypothesis {} of {}.", parent, most);
    }
  }
  m.check_tokens(tokens, m.info.config.max_target_positions, position, position + 1);
  return m.network->decoder().decode_beams(tokens, parents, position, m.cancellation);
}

std::unique_ptr<DecoderModel> WhisperModel::another(int share) const {
  return std::make_unique<WhisperModel>(impl_->state, std::max(1, impl_->threads / share));
}

bool WhisperModel::can_align() const { return impl_->state->facts().can_align; }

AlignmentScores WhisperModel::align(std::span<const int> tokens) {
  Impl& m = *impl_;
  if (!can_align()) return DecoderModel::align(tokens);
  m.check_tokens(tokens, 0, 0, static_cast<int>(tokens.size()));
  return m.network->decoder().align(tokens, m.cancellation);
}

std::string WhisperModel::profile_summary() {
  return impl_->litert ? impl_->litert->profile_summary() : std::string();
}

}  // namespace whisper_s4y
