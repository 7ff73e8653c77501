#include "runtime/whisper_model.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fail.h"
#include "config/front_end.h"
#include "kernels/task_team.h"
#include "runtime/aligned_buffer.h"
#include "runtime/background.h"
#include "runtime/encoder_pass.h"
#include "runtime/kernel_token_decoder.h"
#include "runtime/litert_model.h"
#include "runtime/litert_token_decoder.h"
#include "runtime/model_state.h"

namespace whisper_s4y {
namespace {

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

/// What computes encoder and decoder.
class Network {
 public:
  virtual ~Network() = default;
  /// Of the log-mel spectrogram makes the last hidden state, and what tokens attend to.
  virtual void encode(std::span<const float> logmel, std::span<float> hidden,
                      Cancellation* cancellation) = 0;
  virtual TokenDecoder& decoder() = 0;
};

class KernelNetwork : public Network {
 public:
  KernelNetwork(const ModelState& state, const ModelState::KernelWeights& weights, int threads)
      : team_(static_cast<size_t>(threads)),
        encoder_(weights.encoder, team_),
        decoder_(state, weights.decoder, team_) {}

  void encode(std::span<const float> logmel, std::span<float> hidden,
              Cancellation* cancellation) override {
    encoder_.encode(logmel, hidden, cancellation);
    encoder_.set_windows(hidden, decoder_.windows(), cancellation);
  }
  TokenDecoder& decoder() override { return decoder_; }

 private:
  TaskTeam team_;
  EncoderPass encoder_;
  KernelTokenDecoder decoder_;
};

/// Its signatures stay bound to the buffers of log-mel spectrogram and hidden state.
class LiteRtNetwork : public Network {
 public:
  LiteRtNetwork(const ModelState& state, LiteRtModel& model, AlignedBuffer& logmel,
                AlignedBuffer& hidden)
      : encode_(model.signature("encode")), cross_(model.signature("cross")) {
    encode_.bind_input("input_features", logmel);
    encode_.bind_output("last_hidden_state", hidden);
    cross_.bind_input("last_hidden_state", hidden);
    for (const TensorInfo& tensor : cross_.outputs()) {
      cross_caches_.emplace(tensor.name, bound_output(cross_, tensor.name));
    }
    decoder_.emplace(state, model, cross_caches_);
  }

  void encode(std::span<const float> /*logmel*/, std::span<float> /*hidden*/,
              Cancellation* cancellation) override {
    for (LiteRtSignature* part : {&encode_, &cross_}) {
      // What XNNPACK computes as one op may take longer than a caller wants to wait.
      if (cancellation == nullptr) {
        part->run();
      } else {
        part->run_apart(*cancellation);
      }
    }
  }
  TokenDecoder& decoder() override { return *decoder_; }

 private:
  LiteRtSignature& encode_;
  LiteRtSignature& cross_;
  CrossCaches cross_caches_;
  std::optional<LiteRtTokenDecoder> decoder_;
};

}  // namespace

struct WhisperModel::Impl {
  Impl(std::shared_ptr<ModelState> opened, int threads);
  ~Impl() { model.settle(); }  // before the memory goes

  void check_tokens(std::span<const int> new_tokens, int fed, int at, int last) const;

  std::shared_ptr<ModelState> state;
  const ModelInfo& info;
  LiteRtModel model;
  Cancellation* cancellation = nullptr;
  LiteRtSignature& features = model.signature("features");
  bool encoded = false;

  AlignedBuffer audio;
  AlignedBuffer logmel;
  AlignedBuffer hidden;
  std::unique_ptr<Network> network;
};

WhisperModel::Impl::Impl(std::shared_ptr<ModelState> opened, int threads)
    : state(checked(std::move(opened))), info(state->info()), model(state->loaded(), threads) {
  // The shapes of the tensors are those of the contract: check_bundle() saw to it.
  audio = bound_input(features, "normalized_audio");
  logmel = bound_output(features, "logmel");
  hidden = AlignedBuffer(model.signature("encode").output("last_hidden_state"));
  if (const auto& weights = state->kernel_weights()) {
    model.load(SignatureGroup{{features.key()}, {features.key()}});
    network = std::make_unique<KernelNetwork>(*state, *weights, model.threads());
  } else {
    model.load(state->group_of(features.key()));
    network = std::make_unique<LiteRtNetwork>(*state, model, logmel, hidden);
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

WhisperModel::WhisperModel(const std::filesystem::path& path, RuntimeOptions options)
    : WhisperModel(std::make_shared<ModelState>(
          std::make_shared<TfliteFile>(path), std::move(options), ModelState::Use::transcription)) {
}

WhisperModel::WhisperModel(std::shared_ptr<ModelState> model, int threads)
    : impl_(std::make_unique<Impl>(std::move(model), threads)) {}

WhisperModel::~WhisperModel() {
  const bool is_running = impl_->model.is_running();
  leave(std::move(impl_), is_running);
}

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
  impl_->network->encode(std::as_const(impl_->logmel).as<float>(), impl_->hidden.as<float>(),
                         impl_->cancellation);
  impl_->network->decoder().start_window();
  impl_->encoded = true;
}

std::span<const float> WhisperModel::last_hidden_state() const {
  return std::as_const(impl_->hidden).as<float>();
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
         m.model.file().path().string());
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
  return std::make_unique<WhisperModel>(impl_->state, std::max(1, impl_->model.threads() / share));
}

bool WhisperModel::can_align() const { return impl_->state->facts().can_align; }

AlignmentScores WhisperModel::align(std::span<const int> tokens) {
  Impl& m = *impl_;
  if (!can_align()) return DecoderModel::align(tokens);
  m.check_tokens(tokens, 0, 0, static_cast<int>(tokens.size()));
  return m.network->decoder().align(tokens, m.cancellation);
}

std::string WhisperModel::profile_summary() { return impl_->model.profile_summary(); }

}  // namespace whisper_s4y
