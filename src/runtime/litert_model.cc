#include "runtime/litert_model.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "common/fail.h"
#include "runtime/cpu.h"
#include "runtime/litert_c.h"
#include "runtime/litert_library.h"
#include "runtime/litert_log.h"
#include "runtime/litert_tensors.h"

namespace whisper_s4y {

using litert::check;

/// What a run came to.
struct LiteRtSignature::Outcome {
  LiteRtStatus status = kLiteRtStatusOk;
  std::string errors;
};

/// A run in a thread of its own.
struct LiteRtSignature::Apart {
  std::atomic<bool> stop = false;
  std::future<Outcome> outcome;
};

LiteRtSignature::LiteRtSignature(std::string source, size_t index, SignatureInfo info)
    : source_(std::move(source)),
      index_(index),
      info_(std::move(info)),
      input_buffers_(info_.inputs.size(), nullptr),
      output_buffers_(info_.outputs.size(), nullptr) {}

LiteRtSignature::~LiteRtSignature() {
  settle();
  for (auto* buffer : input_buffers_) LiteRtDestroyTensorBuffer(buffer);
  for (auto* buffer : output_buffers_) LiteRtDestroyTensorBuffer(buffer);
}

const TensorInfo& LiteRtSignature::find_tensor(const std::vector<TensorInfo>& tensors,
                                               std::string_view what, std::string_view name) const {
  if (const TensorInfo* tensor = litert::find_tensor(tensors, name)) return *tensor;
  std::vector<std::string_view> names;
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  fail(ErrorCode::not_found, "{}: signature \"{}\" has no {} \"{}\"; it has {}.", source_, key(),
       what, name, fmt::join(names, ", "));
}

const TensorInfo& LiteRtSignature::input(std::string_view name) const {
  return find_tensor(inputs(), "input", name);
}

const TensorInfo& LiteRtSignature::output(std::string_view name) const {
  return find_tensor(outputs(), "output", name);
}

bool LiteRtSignature::has_input(std::string_view name) const {
  return litert::find_tensor(inputs(), name) != nullptr;
}

bool LiteRtSignature::has_output(std::string_view name) const {
  return litert::find_tensor(outputs(), name) != nullptr;
}

void LiteRtSignature::bind_input(std::string_view name, AlignedBuffer& buffer) {
  const TensorInfo& tensor = input(name);
  bind(tensor, buffer, input_buffers_[static_cast<size_t>(&tensor - inputs().data())]);
}

void LiteRtSignature::bind_output(std::string_view name, AlignedBuffer& buffer) {
  const TensorInfo& tensor = output(name);
  bind(tensor, buffer, output_buffers_[static_cast<size_t>(&tensor - outputs().data())]);
}

void LiteRtSignature::bind(const TensorInfo& tensor, AlignedBuffer& buffer,
                           LiteRtTensorBufferT*& slot) {
  const size_t bytes = tensor.bytes();
  if (buffer.size() != bytes) {
    fail(ErrorCode::invalid_argument,
         "{}: tensor \"{}\" {} of signature \"{}\" needs a buffer of {} bytes, not {}.", source_,
         tensor.name, tensor.description(), key(), bytes, buffer.size());
  }
  settle();
  const LiteRtRankedTensorType type = litert::ranked_type_of(tensor);
  LiteRtTensorBufferT* bound = nullptr;
  check(LiteRtCreateTensorBufferFromHostMemory(&type, buffer.data(), bytes, nullptr, &bound),
        fmt::format("{}: cannot bind tensor \"{}\" of signature \"{}\"", source_, tensor.name,
                    key()));
  LiteRtDestroyTensorBuffer(std::exchange(slot, bound));
}

void LiteRtSignature::check_bound() const {
  if (programs_ == nullptr)
    fail(ErrorCode::invalid_argument, "{}: signature \"{}\" is not loaded.", source_, key());
  for (size_t i = 0; i < inputs().size(); ++i) {
    if (input_buffers_[i] == nullptr) {
      fail(ErrorCode::invalid_argument, "{}: input \"{}\" of signature \"{}\" is not bound.",
           source_, inputs()[i].name, key());
    }
  }
  for (size_t i = 0; i < outputs().size(); ++i) {
    if (output_buffers_[i] == nullptr) {
      fail(ErrorCode::invalid_argument, "{}: output \"{}\" of signature \"{}\" is not bound.",
           source_, outputs()[i].name, key());
    }
  }
}

LiteRtSignature::Outcome LiteRtSignature::compute(Program& program) {
  const litert::LogCapture log;
  Outcome outcome;
  outcome.status =
      LiteRtRunCompiledModel(program.handle(), index_, inputs().size(), input_buffers_.data(),
                             outputs().size(), output_buffers_.data());
  clear_upper_vector_registers();
  if (outcome.status != kLiteRtStatusOk) outcome.errors = log.errors();
  return outcome;
}

void LiteRtSignature::check_outcome(const Outcome& outcome) const {
  if (outcome.status == kLiteRtStatusOk) return;
  check(outcome.status, fmt::format("{}: cannot run signature \"{}\"", source_, key()),
        outcome.errors);
}

void LiteRtSignature::run(Cancellation* cancellation) {
  check_bound();
  settle(cancellation);
  const ProgramPool::Lease program = programs_->take(cancellation);
  if (cancellation == nullptr) return check_outcome(compute(*program));
  const std::function<bool()> ask = [&] { return cancellation->requested(); };
  program->ask(&ask);
  const Outcome outcome = compute(*program);
  program->ask(nullptr);
  cancellation->check();
  check_outcome(outcome);
}

void LiteRtSignature::run_apart(Cancellation& cancellation) {
  check_bound();
  settle(&cancellation);
  apart_ = std::make_unique<Apart>();
  apart_->outcome = std::async(
      std::launch::async,
      [this, stop = &apart_->stop, lease = programs_->take(&cancellation)]() mutable {
        const ProgramPool::Lease program = std::move(lease);  // goes back when the run is over
        const std::function<bool()> ask = [stop] { return stop->load(); };
        program->ask(&ask);
        Outcome outcome = compute(*program);
        program->ask(nullptr);
        return outcome;
      });
  while (apart_->outcome.wait_for(Cancellation::kInterval) != std::future_status::ready) {
    if (!cancellation.requested()) continue;
    apart_->stop = true;
    cancellation.stop();
  }
  const Outcome outcome = apart_->outcome.get();
  apart_.reset();
  check_outcome(outcome);
}

void LiteRtSignature::settle(Cancellation* cancellation) {
  if (!apart_) return;
  while (cancellation != nullptr && apart_->outcome.valid() &&
         apart_->outcome.wait_for(Cancellation::kInterval) != std::future_status::ready) {
    cancellation->check();
  }
  apart_.reset();  // waits, as futures of std::async() do
}

bool LiteRtSignature::is_running() const {
  return apart_ && apart_->outcome.valid() &&
         apart_->outcome.wait_for(std::chrono::seconds::zero()) != std::future_status::ready;
}

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

LiteRtModel::LiteRtModel(const std::filesystem::path& path, RuntimeOptions options,
                         const std::vector<std::string>& signatures)
    : LiteRtModel(std::make_shared<TfliteFile>(path), std::move(options), signatures) {}

LiteRtModel::LiteRtModel(std::shared_ptr<const TfliteFile> file, RuntimeOptions options,
                         const std::vector<std::string>& signatures)
    : LiteRtModel(std::make_shared<LoadedModel>(std::move(file), std::move(options))) {
  load(signatures.empty() ? signature_keys() : signatures);
}

LiteRtModel::LiteRtModel(std::shared_ptr<LoadedModel> model, int threads)
    : model_(std::move(model)), threads_(threads > 0 ? threads : model_->options().threads) {
  const std::string source = file().path().string();
  for (const SignatureInfo& info : model_->signatures()) {
    signatures_.push_back(
        std::unique_ptr<LiteRtSignature>(new LiteRtSignature(source, signatures_.size(), info)));
  }
}

LiteRtModel::~LiteRtModel() = default;

std::vector<std::string> LiteRtModel::signature_keys() const {
  std::vector<std::string> keys;
  for (const auto& signature : signatures_) keys.push_back(signature->key());
  return keys;
}

LiteRtSignature* LiteRtModel::find_signature(std::string_view key) const {
  const auto found =
      std::ranges::find_if(signatures_, [&](const auto& one) { return one->key() == key; });
  return found == signatures_.end() ? nullptr : found->get();
}

bool LiteRtModel::has_signature(std::string_view key) const {
  return find_signature(key) != nullptr;
}

LiteRtSignature& LiteRtModel::signature(std::string_view key) {
  if (LiteRtSignature* found = find_signature(key)) return *found;
  fail(ErrorCode::not_found, "{} has no signature \"{}\"; it has {}.", file().path().string(), key,
       fmt::join(signature_keys(), ", "));
}

bool LiteRtModel::is_loaded(std::string_view key) const {
  const LiteRtSignature* found = find_signature(key);
  return found != nullptr && found->programs_ != nullptr;
}

void LiteRtModel::load(std::vector<std::string> keys) {
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::erase_if(keys, [&](const std::string& key) { return signature(key).programs_ != nullptr; });
  if (keys.empty()) return;
  if (packed_.empty()) packed_ = keys;
  load(SignatureGroup{std::move(keys), packed_});
}

void LiteRtModel::load(const SignatureGroup& group) {
  for (const std::string& key : group.keys) (void)signature(key);
  ProgramPool& programs = model_->programs(group, threads_);
  for (const std::string& key : group.keys) signature(key).programs_ = &programs;
}

void LiteRtModel::settle(Cancellation* cancellation) {
  for (const auto& signature : signatures_) signature->settle(cancellation);
}

bool LiteRtModel::is_running() const {
  return std::ranges::any_of(signatures_,
                             [](const auto& signature) { return signature->is_running(); });
}

bool LiteRtModel::cache_was_used() const { return model_->found_packed(packed_); }

bool LiteRtModel::fully_accelerated() {
  return std::ranges::all_of(signatures_, [](const auto& signature) {
    return signature->programs_ == nullptr || signature->programs_->take()->fully_accelerated();
  });
}

}  // namespace whisper_s4y
