#include "runtime/loaded_model.h"

#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

#include "common/content_hash.h"
#include "common/fail.h"
#include "runtime/cpu.h"
#include "runtime/litert_c.h"
#include "runtime/litert_library.h"
#include "runtime/litert_log.h"
#include "runtime/litert_tensors.h"
#include "runtime/runtime_options.h"
#include "tflite/check_runnable.h"
#include "tflite/contract.h"
#include "tflite/model_metadata.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {

using litert::check;

namespace {

constexpr int kErrorReporterStderr = 1;  // of LiteRtErrorReporterMode, which no header tells

TensorInfo tensor_info(LiteRtTensorT* tensor, const char* name, std::string_view source,
                       std::string_view key) {
  LiteRtRankedTensorType type{};
  check(LiteRtGetRankedTensorType(tensor, &type), fmt::format("{}: signature \"{}\"", source, key));
  const std::optional<DType> dtype = litert::dtype_of(type.element_type);
  if (!dtype || type.layout.rank > LITERT_TENSOR_MAX_RANK) {
    fail(ErrorCode::unsupported,
         "{}: tensor \"{}\" of signature \"{}\" has LiteRT's element type {} and rank {}, which "
         "whisper-s4y does not use.",
         source, name, key, type.element_type, static_cast<int>(type.layout.rank));
  }
  TensorInfo info{name, *dtype, {}};
  info.shape.assign(type.layout.dimensions, type.layout.dimensions + type.layout.rank);
  return info;
}

/// Whether LiteRT reads a signature as we did: what was checked must be what is run.
bool same_tensors(const std::vector<TensorInfo>& ours, const std::vector<TensorInfo>& litert) {
  return ours.size() == litert.size() && std::ranges::all_of(litert, [&](const TensorInfo& tensor) {
           const TensorInfo* same = litert::find_tensor(ours, tensor.name);
           return same != nullptr && same->dtype == tensor.dtype && same->shape == tensor.shape;
         });
}

void add_options(LiteRtOptionsT* options, const char* identifier, const std::string& toml) {
  char* payload = ::strdup(toml.c_str());
  if (payload == nullptr) fail(ErrorCode::out_of_memory, "Out of memory.");
  LiteRtOpaqueOptionsT* opaque = nullptr;
  // LiteRT frees the payload from here on.
  check(LiteRtCreateOpaqueOptions(identifier, payload, &std::free, &opaque),
        "Cannot set LiteRT's options");
  const LiteRtStatus status = LiteRtAddOpaqueOptions(options, opaque);
  if (status != kLiteRtStatusOk) LiteRtDestroyOpaqueOptions(opaque);
  check(status, "Cannot set LiteRT's options");
}

struct FreeOptions {
  void operator()(LiteRtOptionsT* options) const { LiteRtDestroyOptions(options); }
};
using Options = std::unique_ptr<LiteRtOptionsT, FreeOptions>;

/// Closes the descriptor if it still is the same file as `original`: LiteRT closes it, but not when
/// it fails before it makes its delegate. Until then it is LiteRT's alone.
void close_if_left(int descriptor, int original) {
  struct stat now {};
  struct stat same {};
  if (descriptor >= 0 && ::fstat(descriptor, &now) == 0 && ::fstat(original, &same) == 0 &&
      now.st_dev == same.st_dev && now.st_ino == same.st_ino) {
    ::close(descriptor);
  }
}

/// LiteRT accelerates the selected signatures' own subgraphs only, not the bodies of their loops.
bool has_loop(const tflite::SubGraph& graph) {
  const auto* ops = graph.operators();
  return ops != nullptr && std::any_of(ops->begin(), ops->end(), [](const tflite::Operator* op) {
           return op->builtin_options_as_WhileOptions() != nullptr;
         });
}

}  // namespace

void LoadedModel::FreeModel::operator()(LiteRtModelT* model) const { LiteRtDestroyModel(model); }

LoadedModel::LoadedModel(std::shared_ptr<const TfliteFile> file, RuntimeOptions options)
    : file_(std::move(file)),
      options_(completed(std::move(options))),
      source_(file_->path().string()) {
  check_runnable(*file_);
  LiteRtEnvironmentT* environment = litert::environment();
  const std::span<const std::byte> bytes = file_->file().bytes();
  LiteRtModelT* created = nullptr;
  const litert::LogCapture log;
  const LiteRtStatus status =
      LiteRtCreateModelFromBuffer(environment, bytes.data(), bytes.size(), &created);
  check(status, fmt::format("{}: cannot read the model", source_), log.errors());
  model_.reset(created);
  read_signatures();
}

LoadedModel::~LoadedModel() = default;

void LoadedModel::read_signatures() {
  const std::vector<SignatureInfo> ours = signatures_of(*file_);
  size_t count = 0;
  check(LiteRtGetNumModelSignatures(model_.get(), &count), source_);
  for (size_t index = 0; index < count; ++index) {
    LiteRtSignatureT* handle = nullptr;
    const char* key = nullptr;
    size_t num_inputs = 0;
    size_t num_outputs = 0;
    check(LiteRtGetModelSignature(model_.get(), index, &handle), source_);
    check(LiteRtGetSignatureKey(handle, &key), source_);
    check(LiteRtGetNumSignatureInputs(handle, &num_inputs), source_);
    check(LiteRtGetNumSignatureOutputs(handle, &num_outputs), source_);
    SignatureInfo signature{.key = key, .inputs = {}, .outputs = {}};
    for (size_t i = 0; i < num_inputs; ++i) {
      const char* name = nullptr;
      LiteRtTensorT* tensor = nullptr;
      check(LiteRtGetSignatureInputName(handle, i, &name), source_);
      check(LiteRtGetSignatureInputTensorByIndex(handle, i, &tensor), source_);
      signature.inputs.push_back(tensor_info(tensor, name, source_, key));
    }
    for (size_t i = 0; i < num_outputs; ++i) {
      const char* name = nullptr;
      LiteRtTensorT* tensor = nullptr;
      check(LiteRtGetSignatureOutputName(handle, i, &name), source_);
      check(LiteRtGetSignatureOutputTensorByIndex(handle, i, &tensor), source_);
      signature.outputs.push_back(tensor_info(tensor, name, source_, key));
    }
    const auto same = std::ranges::find(ours, signature.key, &SignatureInfo::key);
    if (same == ours.end() || !same_tensors(same->inputs, signature.inputs) ||
        !same_tensors(same->outputs, signature.outputs)) {
      fail("{}: LiteRT does not find in the file what signature \"{}\" says of its tensors.",
           source_, key);
    }
    signatures_.push_back(std::move(signature));
  }
}

WeightCache LoadedModel::open_cache(const std::vector<std::string>& packed) {
  // What is wrong with the folder is so for each group.
  const WarningCallback warn = [this](const std::string& message) {
    if (told_.insert(message).second && options_.on_warning) options_.on_warning(message);
  };
  if (!options_.use_cache) return {{}, {}, file_->size(), warn};
  std::filesystem::path folder =
      options_.cache_dir.empty() ? default_cache_folder() : options_.cache_dir;
  if (folder.empty()) warn("Weight cache: neither XDG_CACHE_HOME nor HOME names a folder.");
  // Everything that the packed weights depend on. LiteRT tells weights apart by their place in the
  // file only, so the content's hash comes first.
  const std::string circumstances = fmt::format("{} {} {} {}", file_->size(), litert::library_id(),
                                                cpu_id(), fmt::join(packed, " "));
  ContentHash hash;
  hash.update(std::as_bytes(std::span(circumstances)));
  std::string name = fmt::format("{}-{}.xnnpack", model_hash(*file_), hash.digest().substr(0, 16));
  return {std::move(folder), std::move(name), file_->size(), warn};
}

std::string LoadedModel::runtime_toml(const std::vector<std::string>& keys) const {
  std::string toml = fmt::format("error_reporter_mode = {}\n", kErrorReporterStderr);
  if (options_.profile) toml += "enable_profiling = true\n";
  const bool loops = std::ranges::any_of(keys, [&](const std::string& key) {
    for (const auto* definition : *file_->model().signature_defs()) {
      if (definition->signature_key()->string_view() == key) {
        return has_loop(*file_->model().subgraphs()->Get(definition->subgraph_index()));
      }
    }
    return false;
  });
  if (!loops)
    toml += fmt::format("selected_signature_keys = [\"{}\"]\n", fmt::join(keys, "\", \""));
  return toml;
}

ProgramPool& LoadedModel::programs(const SignatureGroup& group, int threads) {
  ProgramPool* pool = nullptr;
  {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<ProgramPool>& entry = pools_[{group.keys, threads}];
    if (!entry) {
      // More at once than there are threads to run them would only wait for each other.
      const int most = std::max(1, options_.threads / threads);
      entry = std::make_unique<ProgramPool>([this, group, threads] { return make(group, threads); },
                                            static_cast<size_t>(most));
    }
    pool = entry.get();
  }
  pool->prepare();
  return *pool;
}

std::unique_ptr<Program> LoadedModel::make(const SignatureGroup& group, int threads) {
  const std::lock_guard lock(compiling_);
  const auto found = caches_.find(group.packed);
  if (found != caches_.end()) return compile(group.keys, found->second, threads);
  WeightCache cache = open_cache(group.packed);
  std::unique_ptr<Program> program = compile(group.packed, cache, threads);
  const bool published = cache.publish();
  if (published || group.keys != group.packed) {
    program.reset();  // frees what packing took
    program = compile(group.keys, cache, threads);
  }
  caches_.emplace(group.packed, std::move(cache));
  return program;
}

std::unique_ptr<Program> LoadedModel::compile(const std::vector<std::string>& keys,
                                              const WeightCache& cache, int threads) const {
  LiteRtOptionsT* created_options = nullptr;
  check(LiteRtCreateOptions(&created_options), "Cannot make LiteRT's options");
  const Options litert_options(created_options);
  check(LiteRtSetOptionsHardwareAccelerators(litert_options.get(), kLiteRtHwAcceleratorCpu),
        "Cannot set LiteRT's accelerator");
  add_options(litert_options.get(), "runtime_options_string", runtime_toml(keys));

  std::string xnnpack_toml = fmt::format("num_threads = {}\n", threads);
  const int descriptor = cache.duplicate_descriptor();
  if (descriptor >= 0) {
    xnnpack_toml += fmt::format("weight_cache_file_descriptor = {}\n", descriptor);
  }
  add_options(litert_options.get(), "xnnpack", xnnpack_toml);
  LiteRtCompiledModelT* handle = nullptr;
  const litert::LogCapture log;
  const LiteRtStatus status =
      LiteRtCreateCompiledModel(litert::environment(), model_.get(), litert_options.get(), &handle);
  if (status != kLiteRtStatusOk) close_if_left(descriptor, cache.descriptor());
  check(status, fmt::format("{}: cannot load the signatures {}", source_, fmt::join(keys, ", ")),
        log.errors());
  return std::make_unique<Program>(handle, options_.profile);
}

void LoadedModel::release_unused_since(ProgramPool::Clock::time_point time) {
  std::map<std::vector<std::string>, ProgramPool*> newest;  // of each group
  std::vector<std::unique_ptr<Program>> released;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, pool] : pools_) {
      ProgramPool*& best = newest[key.first];
      if (best == nullptr || pool->last_used() > best->last_used()) best = pool.get();
    }
    for (const auto& [key, pool] : pools_) {
      if (newest[key.first] == pool.get()) continue;
      for (auto& program : pool->take_unused_since(time)) released.push_back(std::move(program));
    }
  }
  const std::lock_guard lock(compiling_);
  released.clear();
}

bool LoadedModel::found_packed(const std::vector<std::string>& packed) const {
  const std::lock_guard lock(compiling_);
  const auto found = caches_.find(packed);
  return found != caches_.end() && found->second.found();
}

std::string LoadedModel::profile_summary() {
  std::string summary;
  const std::lock_guard lock(mutex_);
  for (const auto& [key, pool] : pools_) {
    pool->for_each_idle([&](Program& program) { summary += program.profile_summary(); });
  }
  return summary;
}

}  // namespace whisper_s4y
