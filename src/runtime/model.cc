#include "whisper_s4y/model.h"

#include <utility>

#include "common/boundary.h"
#include "runtime/model_state.h"

namespace whisper_s4y {

Model::Model(const std::filesystem::path& path, RuntimeOptions options)
    : state_(with_errors([&] {
        return std::make_shared<ModelState>(std::make_shared<TfliteFile>(path), std::move(options),
                                            ModelState::Use::any);
      })) {}

Model::Model(std::shared_ptr<ModelState> state) : state_(std::move(state)) {}

Model Model::from_memory(Span<const std::byte> file, std::string_view name,
                         RuntimeOptions options) {
  return with_errors([&] {
    return Model(std::make_shared<ModelState>(std::make_shared<TfliteFile>(file, name),
                                              std::move(options), ModelState::Use::any));
  });
}

const ModelFacts& Model::info() const { return state_->facts(); }

const RuntimeOptions& Model::options() const { return state_->options(); }

void Model::release_unused(std::chrono::duration<double> time) const {
  using Clock = ProgramPool::Clock;
  state_->release_unused_since(Clock::now() - std::chrono::duration_cast<Clock::duration>(time));
}

std::vector<int> Model::tokenize(std::string_view text) const {
  return with_errors([&] { return state_->tokenizer().encode(text); });
}

std::string Model::detokenize(Span<const int> tokens, const DecodeOptions& options) const {
  return with_errors([&] { return state_->tokenizer().decode(tokens, options); });
}

}  // namespace whisper_s4y
