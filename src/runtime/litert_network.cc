#include "runtime/litert_network.h"

#include <algorithm>
#include <utility>

namespace whisper_s4y {

LiteRtFrontEnd::LiteRtFrontEnd(LiteRtModel& model)
    : model_(model),
      features_(model.signature("features")),
      audio_(bound_input(features_, "normalized_audio")),
      logmel_(bound_output(features_, "logmel")) {}

void LiteRtFrontEnd::run(std::span<const float> normalized_audio, std::span<float> logmel,
                         Cancellation* cancellation) {
  model_.settle(cancellation);
  std::ranges::copy(normalized_audio, audio_.as<float>().begin());
  features_.run(cancellation);
  std::ranges::copy(std::as_const(logmel_).as<float>(), logmel.begin());
}

LiteRtNetwork::LiteRtNetwork(const ModelState& state, LiteRtModel& model)
    : model_(model),
      encode_(model.signature("encode")),
      cross_(model.signature("cross")),
      logmel_(bound_input(encode_, "input_features")),
      hidden_(bound_output(encode_, "last_hidden_state")) {
  cross_.bind_input("last_hidden_state", hidden_);
  for (const TensorInfo& tensor : cross_.outputs()) {
    cross_caches_.emplace(tensor.name, bound_output(cross_, tensor.name));
  }
  decoder_.emplace(state, model, cross_caches_);
}

void LiteRtNetwork::encode(std::span<const float> input_features,
                           [[maybe_unused]] const WindowPositions* positions,
                           Cancellation* cancellation) {
  model_.settle(cancellation);
  std::ranges::copy(input_features, logmel_.as<float>().begin());
  for (LiteRtSignature* part : {&encode_, &cross_}) {
    // What XNNPACK computes as one op may take longer than a caller wants to wait.
    if (cancellation == nullptr) {
      part->run();
    } else {
      part->run_apart(*cancellation);
    }
  }
}

}  // namespace whisper_s4y
