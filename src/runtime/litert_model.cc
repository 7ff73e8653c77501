#include "runtime/litert_model.h"

#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "common/content_hash.h"
#include "common/fail.h"
#include "common/options.h"
#include "runtime/cpu.h"
#include "runtime/litert_c.h"
#include "runtime/litert_library.h"
#include "runtime/litert_log.h"
#include "tflite/check_runnable.h"
#include "tflite/contract.h"
#include "tflite/model_metadata.h"
#include "tflite/schema_generated.h"

namespace whisper_s4y {

using litert::check;

namespace {

constexpr NumberOption<RuntimeOptions> kRuntimeNumbers[] = {
    number_option<&RuntimeOptions::threads>({"threads"}, 0, 1024),
};

// Elements as LiteRT numbers them (TfLiteType), which is not how the file does.
constexpr std::pair<int, DType> kElementTypes[] = {
    {1, DType::f32},     {2, DType::i32}, {3, DType::u8},   {4, DType::i64}, {5, DType::string},
    {6, DType::boolean}, {9, DType::i8},  {10, DType::f16}, {18, DType::i4}};

std::optional<DType> dtype_of(int element_type) {
  for (const auto& [number, dtype] : kElementTypes) {
    if (number == element_type) return dtype;
  }
  return std::nullopt;
}

int element_type_of(DType wanted) {
  for (const auto& [number, dtype] : kElementTypes) {
    if (dtype == wanted) return number;
  }
  fail(ErrorCode::unsupported, "LiteRT has no element type {}.", name_of(wanted));
}

litert::RankedTensorType ranked_type_of(const TensorInfo& tensor) {
  litert::RankedTensorType type{};
  type.element_type = element_type_of(tensor.dtype);
  type.layout.rank = static_cast<uint32_t>(tensor.shape.size());
  std::copy(tensor.shape.begin(), tensor.shape.end(), type.layout.dimensions);
  return type;
}

TensorInfo tensor_info(litert::TensorT* tensor, const char* name, std::string_view source,
                       std::string_view key) {
  litert::RankedTensorType type{};
  check(LiteRtGetRankedTensorType(tensor, &type), fmt::format("{}: signature \"{}\"", source, key));
  const std::optional<DType> dtype = dtype_of(type.element_type);
  if (!dtype || type.layout.rank > litert::kMaxRank) {
    fail(ErrorCode::unsupported,
         "{}: tensor \"{}\" of signature \"{}\" has LiteRT's element type {} and rank {}, which "
         "whisper-s4y does not use.",
         source, name, key, type.element_type, static_cast<int>(type.layout.rank));
  }
  TensorInfo info{name, *dtype, {}};
  info.shape.assign(type.layout.dimensions, type.layout.dimensions + type.layout.rank);
  return info;
}

const TensorInfo* find(const std::vector<TensorInfo>& tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
  return found == tensors.end() ? nullptr : &*found;
}

/// Whether LiteRT reads a signature as we did: what was checked must be what is run.
bool same_tensors(const std::vector<TensorInfo>& ours, const std::vector<TensorInfo>& litert) {
  return ours.size() == litert.size() && std::ranges::all_of(litert, [&](const TensorInfo& tensor) {
           const TensorInfo* same = find(ours, tensor.name);
           return same != nullptr && same->dtype == tensor.dtype && same->shape == tensor.shape;
         });
}

void add_options(litert::OptionsT* options, const char* identifier, const std::string& toml) {
  char* payload = ::strdup(toml.c_str());
  if (payload == nullptr) fail(ErrorCode::out_of_memory, "Out of memory.");
  litert::OpaqueOptionsT* opaque = nullptr;
  // LiteRT frees the payload from here on.
  check(LiteRtCreateOpaqueOptions(identifier, payload, &std::free, &opaque),
        "Cannot set LiteRT's options");
  const litert::Status status = LiteRtAddOpaqueOptions(options, opaque);
  if (status != litert::kOk) LiteRtDestroyOpaqueOptions(opaque);
  check(status, "Cannot set LiteRT's options");
}

struct FreeOptions {
  void operator()(litert::OptionsT* options) const { LiteRtDestroyOptions(options); }
};
using Options = std::unique_ptr<litert::OptionsT, FreeOptions>;

struct FreeModel {
  void operator()(litert::ModelT* model) const { LiteRtDestroyModel(model); }
};

/// Closes the descriptor if it still is the file it was: LiteRT closes it, but not when it fails
/// before it makes its delegate.
void close_if_left(int descriptor, const struct stat& before) {
  struct stat now {};
  if (descriptor >= 0 && ::fstat(descriptor, &now) == 0 && now.st_dev == before.st_dev &&
      now.st_ino == before.st_ino) {
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

void RuntimeOptions::validate() const { check_numbers(*this, kRuntimeNumbers); }

/// Some signatures of a model, made ready to run together.
struct LiteRtSignature::Compiled {
  Compiled() = default;
  ~Compiled() {
    const litert::LogCapture log;
    if (handle != nullptr) LiteRtDestroyCompiledModel(handle);
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  litert::CompiledModelT* handle = nullptr;
  litert::ProfilerT* profiler = nullptr;
};

LiteRtSignature::~LiteRtSignature() {
  for (auto* buffer : input_buffers_) LiteRtDestroyTensorBuffer(buffer);
  for (auto* buffer : output_buffers_) LiteRtDestroyTensorBuffer(buffer);
}

const TensorInfo& LiteRtSignature::find_tensor(const std::vector<TensorInfo>& tensors,
                                               std::string_view what, std::string_view name) const {
  if (const TensorInfo* tensor = find(tensors, name)) return *tensor;
  std::vector<std::string_view> names;
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  fail(ErrorCode::not_found, "{}: signature \"{}\" has no {} \"{}\"; it has {}.", source_, key_,
       what, name, fmt::join(names, ", "));
}

const TensorInfo& LiteRtSignature::input(std::string_view name) const {
  return find_tensor(inputs_, "input", name);
}

const TensorInfo& LiteRtSignature::output(std::string_view name) const {
  return find_tensor(outputs_, "output", name);
}

bool LiteRtSignature::has_input(std::string_view name) const {
  return find(inputs_, name) != nullptr;
}

bool LiteRtSignature::has_output(std::string_view name) const {
  return find(outputs_, name) != nullptr;
}

void LiteRtSignature::bind_input(std::string_view name, AlignedBuffer& buffer) {
  const TensorInfo& tensor = input(name);
  bind(tensor, buffer, input_buffers_[static_cast<size_t>(&tensor - inputs_.data())]);
}

void LiteRtSignature::bind_output(std::string_view name, AlignedBuffer& buffer) {
  const TensorInfo& tensor = output(name);
  bind(tensor, buffer, output_buffers_[static_cast<size_t>(&tensor - outputs_.data())]);
}

void LiteRtSignature::bind(const TensorInfo& tensor, AlignedBuffer& buffer,
                           litert::TensorBufferT*& slot) {
  const size_t bytes = tensor.bytes();
  if (buffer.size() != bytes) {
    fail(ErrorCode::invalid_argument,
         "{}: tensor \"{}\" {} of signature \"{}\" needs a buffer of {} bytes, not {}.", source_,
         tensor.name, tensor.description(), key_, bytes, buffer.size());
  }
  const litert::RankedTensorType type = ranked_type_of(tensor);
  litert::TensorBufferT* bound = nullptr;
  check(
      LiteRtCreateTensorBufferFromHostMemory(&type, buffer.data(), bytes, nullptr, &bound),
      fmt::format("{}: cannot bind tensor \"{}\" of signature \"{}\"", source_, tensor.name, key_));
  LiteRtDestroyTensorBuffer(std::exchange(slot, bound));
}

void LiteRtSignature::run() {
  if (compiled_ == nullptr)
    fail(ErrorCode::invalid_argument, "{}: signature \"{}\" is not loaded.", source_, key_);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (input_buffers_[i] == nullptr) {
      fail(ErrorCode::invalid_argument, "{}: input \"{}\" of signature \"{}\" is not bound.",
           source_, inputs_[i].name, key_);
    }
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (output_buffers_[i] == nullptr) {
      fail(ErrorCode::invalid_argument, "{}: output \"{}\" of signature \"{}\" is not bound.",
           source_, outputs_[i].name, key_);
    }
  }
  const litert::LogCapture log;
  const litert::Status status =
      LiteRtRunCompiledModel(compiled_->handle, index_, inputs_.size(), input_buffers_.data(),
                             outputs_.size(), output_buffers_.data());
  clear_upper_vector_registers();
  if (status == litert::kOk) return;
  check(status, fmt::format("{}: cannot run signature \"{}\"", source_, key_), log.errors());
}

struct LiteRtModel::Impl {
  Impl(std::shared_ptr<const TfliteFile> tflite_file, RuntimeOptions runtime_options);

  void read_signatures();
  WeightCache open_cache(const std::vector<std::string>& keys);
  void load(std::vector<std::string> keys);
  [[nodiscard]] std::unique_ptr<LiteRtSignature::Compiled> compile(
      const std::vector<std::string>& keys);
  [[nodiscard]] std::string runtime_toml(const std::vector<std::string>& keys) const;
  [[nodiscard]] LiteRtSignature* find_signature(std::string_view key) const;
  [[nodiscard]] LiteRtSignature& signature(std::string_view key) const;

  RuntimeOptions options;
  std::shared_ptr<const TfliteFile> file;  // LiteRT reads from its mapping
  std::string source;
  std::unique_ptr<litert::ModelT, FreeModel> model;
  std::optional<WeightCache> cache;  // opened by the first load
  std::vector<std::unique_ptr<LiteRtSignature::Compiled>> compiled;
  std::vector<std::unique_ptr<LiteRtSignature>> signatures;
};

LiteRtModel::Impl::Impl(std::shared_ptr<const TfliteFile> tflite_file,
                        RuntimeOptions runtime_options)
    : options(std::move(runtime_options)),
      file(std::move(tflite_file)),
      source(file->path().string()) {
  options.validate();
  if (options.threads == 0) options.threads = default_threads();
  check_runnable(*file);
  litert::EnvironmentT* environment = litert::environment();
  const std::span<const std::byte> bytes = file->file().bytes();
  litert::ModelT* created = nullptr;
  const litert::LogCapture log;
  const litert::Status status =
      LiteRtCreateModelFromBuffer(environment, bytes.data(), bytes.size(), &created);
  check(status, fmt::format("{}: cannot read the model", source), log.errors());
  model.reset(created);
  read_signatures();
}

void LiteRtModel::Impl::read_signatures() {
  const std::vector<SignatureTensors> ours = signatures_of(*file);
  size_t count = 0;
  check(LiteRtGetNumModelSignatures(model.get(), &count), source);
  for (size_t index = 0; index < count; ++index) {
    litert::SignatureT* handle = nullptr;
    const char* key = nullptr;
    size_t num_inputs = 0;
    size_t num_outputs = 0;
    check(LiteRtGetModelSignature(model.get(), index, &handle), source);
    check(LiteRtGetSignatureKey(handle, &key), source);
    check(LiteRtGetNumSignatureInputs(handle, &num_inputs), source);
    check(LiteRtGetNumSignatureOutputs(handle, &num_outputs), source);
    auto signature = std::unique_ptr<LiteRtSignature>(new LiteRtSignature());
    signature->source_ = source;
    signature->key_ = key;
    signature->index_ = index;
    for (size_t i = 0; i < num_inputs; ++i) {
      const char* name = nullptr;
      litert::TensorT* tensor = nullptr;
      check(LiteRtGetSignatureInputName(handle, i, &name), source);
      check(LiteRtGetSignatureInputTensorByIndex(handle, i, &tensor), source);
      signature->inputs_.push_back(tensor_info(tensor, name, source, key));
    }
    for (size_t i = 0; i < num_outputs; ++i) {
      const char* name = nullptr;
      litert::TensorT* tensor = nullptr;
      check(LiteRtGetSignatureOutputName(handle, i, &name), source);
      check(LiteRtGetSignatureOutputTensorByIndex(handle, i, &tensor), source);
      signature->outputs_.push_back(tensor_info(tensor, name, source, key));
    }
    const auto same = std::ranges::find(ours, signature->key_, &SignatureTensors::key);
    if (same == ours.end() || !same_tensors(same->inputs, signature->inputs_) ||
        !same_tensors(same->outputs, signature->outputs_)) {
      fail("{}: LiteRT does not find in the file what signature \"{}\" says of its tensors.",
           source, key);
    }
    signature->input_buffers_.resize(num_inputs, nullptr);
    signature->output_buffers_.resize(num_outputs, nullptr);
    signatures.push_back(std::move(signature));
  }
}

LiteRtSignature* LiteRtModel::Impl::find_signature(std::string_view key) const {
  for (const auto& signature : signatures) {
    if (signature->key() == key) return signature.get();
  }
  return nullptr;
}

LiteRtSignature& LiteRtModel::Impl::signature(std::string_view key) const {
  if (LiteRtSignature* found = find_signature(key)) return *found;
  std::vector<std::string_view> keys;
  for (const auto& signature : signatures) keys.push_back(signature->key());
  fail(ErrorCode::not_found, "{} has no signature \"{}\"; it has {}.", source, key,
       fmt::join(keys, ", "));
}

WeightCache LiteRtModel::Impl::open_cache(const std::vector<std::string>& keys) {
  if (!options.use_cache) return {{}, {}, file->size(), options.warn};
  std::filesystem::path folder =
      options.cache_dir.empty() ? default_cache_folder() : options.cache_dir;
  if (folder.empty() && options.warn) {
    options.warn("Weight cache: neither XDG_CACHE_HOME nor HOME names a folder.");
  }
  // Everything that the packed weights depend on. LiteRT tells weights apart by their place in the
  // file only, so the content's hash comes first.
  const std::string circumstances = fmt::format("{} {} {} {}", file->size(), litert::library_id(),
                                                cpu_id(), fmt::join(keys, " "));
  ContentHash hash;
  hash.update(std::as_bytes(std::span(circumstances)));
  std::string name = fmt::format("{}-{}.xnnpack", model_hash(*file), hash.digest().substr(0, 16));
  return {std::move(folder), std::move(name), file->size(), options.warn};
}

std::string LiteRtModel::Impl::runtime_toml(const std::vector<std::string>& keys) const {
  std::string toml = fmt::format("error_reporter_mode = {}\n", litert::kErrorReporterStderr);
  if (options.profile) toml += "enable_profiling = true\n";
  const bool loops = std::ranges::any_of(keys, [&](const std::string& key) {
    for (const auto* definition : *file->model().signature_defs()) {
      if (definition->signature_key()->string_view() == key) {
        return has_loop(*file->model().subgraphs()->Get(definition->subgraph_index()));
      }
    }
    return false;
  });
  if (!loops)
    toml += fmt::format("selected_signature_keys = [\"{}\"]\n", fmt::join(keys, "\", \""));
  return toml;
}

void LiteRtModel::Impl::load(std::vector<std::string> keys) {
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::erase_if(keys, [&](const std::string& key) { return signature(key).compiled_ != nullptr; });
  if (keys.empty()) return;

  if (!cache) cache = open_cache(keys);
  std::unique_ptr<LiteRtSignature::Compiled> loaded = compile(keys);
  if (compiled.empty() && cache->publish()) {
    loaded.reset();
    loaded = compile(keys);
  }
  if (options.profile) {
    check(LiteRtCompiledModelGetProfiler(loaded->handle, &loaded->profiler), "Cannot profile");
    check(LiteRtStartProfiler(loaded->profiler), "Cannot profile");
  }
  compiled.push_back(std::move(loaded));
  for (const std::string& key : keys) signature(key).compiled_ = compiled.back().get();
}

std::unique_ptr<LiteRtSignature::Compiled> LiteRtModel::Impl::compile(
    const std::vector<std::string>& keys) {
  litert::OptionsT* created_options = nullptr;
  check(LiteRtCreateOptions(&created_options), "Cannot make LiteRT's options");
  const Options litert_options(created_options);
  check(LiteRtSetOptionsHardwareAccelerators(litert_options.get(), litert::kAcceleratorCpu),
        "Cannot set LiteRT's accelerator");
  add_options(litert_options.get(), "runtime_options_string", runtime_toml(keys));

  std::string xnnpack_toml = fmt::format("num_threads = {}\n", options.threads);
  const int descriptor = cache->duplicate_descriptor();
  struct stat before {};
  if (descriptor >= 0) {
    ::fstat(descriptor, &before);
    xnnpack_toml += fmt::format("weight_cache_file_descriptor = {}\n", descriptor);
  }
  add_options(litert_options.get(), "xnnpack", xnnpack_toml);
  auto made = std::make_unique<LiteRtSignature::Compiled>();
  const litert::LogCapture log;
  const litert::Status status = LiteRtCreateCompiledModel(litert::environment(), model.get(),
                                                          litert_options.get(), &made->handle);
  if (status != litert::kOk) close_if_left(descriptor, before);
  check(status, fmt::format("{}: cannot load the signatures {}", source, fmt::join(keys, ", ")),
        log.errors());
  return made;
}

LiteRtModel::LiteRtModel(const std::filesystem::path& path, RuntimeOptions options)
    : LiteRtModel(std::make_shared<TfliteFile>(path), std::move(options)) {}

LiteRtModel::LiteRtModel(std::shared_ptr<const TfliteFile> file, RuntimeOptions options)
    : impl_(std::make_unique<Impl>(std::move(file), std::move(options))) {
  load(impl_->options.signatures.empty() ? signature_keys() : impl_->options.signatures);
}

LiteRtModel::~LiteRtModel() = default;

const TfliteFile& LiteRtModel::file() const { return *impl_->file; }

const RuntimeOptions& LiteRtModel::options() const { return impl_->options; }

std::vector<std::string> LiteRtModel::signature_keys() const {
  std::vector<std::string> keys;
  for (const auto& signature : impl_->signatures) keys.push_back(signature->key());
  return keys;
}

bool LiteRtModel::has_signature(std::string_view key) const {
  return impl_->find_signature(key) != nullptr;
}

LiteRtSignature& LiteRtModel::signature(std::string_view key) { return impl_->signature(key); }

bool LiteRtModel::is_loaded(std::string_view key) const {
  return impl_->signature(key).compiled_ != nullptr;
}

void LiteRtModel::load(const std::vector<std::string>& keys) { impl_->load(keys); }

bool LiteRtModel::cache_was_used() const { return impl_->cache && impl_->cache->found(); }

bool LiteRtModel::fully_accelerated() const {
  return std::ranges::all_of(impl_->compiled, [](const auto& compiled) {
    bool accelerated = false;
    check(LiteRtCompiledModelIsFullyAccelerated(compiled->handle, &accelerated),
          "Cannot tell whether the model is accelerated");
    return accelerated;
  });
}

std::string LiteRtModel::profile_summary() {
  std::string summary;
  for (const auto& compiled : impl_->compiled) {
    if (compiled->profiler == nullptr) continue;
    const char* text = nullptr;
    check(LiteRtStopProfiler(compiled->profiler), "Cannot stop the profile");
    check(LiteRtGetProfileSummary(compiled->profiler, compiled->handle, &text),
          "Cannot read the profile");
    const std::unique_ptr<char, decltype(&std::free)> owner(const_cast<char*>(text), &std::free);
    if (text != nullptr) summary += text;
    check(LiteRtResetProfiler(compiled->profiler), "Cannot restart the profile");
    check(LiteRtStartProfiler(compiled->profiler), "Cannot restart the profile");
  }
  return summary;
}

}  // namespace whisper_s4y
