#include "server/model_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/fail.h"
#include "server/api_error.h"

namespace whisper_s4y::server {
namespace {

namespace fs = std::filesystem;

// What clients of OpenAI's ask for (openai-python types/audio_model.py).
constexpr std::array<std::string_view, 8> kOpenAiNames = {
    "whisper-1",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-realtime-whisper",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
};

std::time_t written_at(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mtime : 0;
}

void check_readable(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail(ErrorCode::io, "Cannot read {}: {}.", path.string(),
         error ? error.message() : std::strerror(ENOENT));
  }
}

}  // namespace

ModelName ModelName::parse(const std::string& argument) {
  const size_t equals = argument.find('=');
  // "x=y.tflite" may be a file too.
  std::error_code ignored;
  if (equals != std::string::npos && equals > 0 && !fs::exists(argument, ignored)) {
    return {argument.substr(0, equals), argument.substr(equals + 1)};
  }
  const fs::path path = argument;
  return {path.stem().string(), path};
}

ServedModel::ServedModel(ModelName name, RuntimeOptions options)
    : name_(std::move(name)), options_(std::move(options)) {}

ServedModel::Lease::Lease(std::shared_ptr<ServedModel> model, std::shared_ptr<const Model> opened,
                          int threads, std::unique_ptr<Transcriber> transcriber)
    : owner_(std::move(model)),
      opened_(std::move(opened)),
      threads_(threads),
      transcriber_(std::move(transcriber)) {}

ServedModel::Lease::~Lease() {
  if (transcriber_) owner_->give_back(opened_, threads_, std::move(transcriber_));
}

std::shared_ptr<const Model> ServedModel::open_locked() {
  if (!model_) {
    auto model = std::make_shared<const Model>(name_.path, options_);
    if (!model->info().can_transcribe) {
      fail(ErrorCode::unsupported,
           "{} is no bundle: it lacks what transcribing needs. `whisper-s4y convert` makes one.",
           name_.path.string());
    }
    languages_ = model->info().languages;
    model_ = std::move(model);
  }
  last_used_ = Clock::now();
  return model_;
}

std::shared_ptr<const Model> ServedModel::open() {
  const std::lock_guard lock(mutex_);
  return open_locked();
}

ServedModel::Lease ServedModel::take(int threads) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<const Model> model;
  try {
    model = open_locked();
  } catch (const Error& error) {  // of the server's file, not of the client's
    throw ApiError(500, fmt::format("The model {} cannot be opened: {}", name(), error.what()));
  }
  std::unique_ptr<Transcriber> transcriber;
  const auto idle = std::find_if(idle_.rbegin(), idle_.rend(),
                                 [&](const Idle& one) { return one.threads == threads; });
  if (idle != idle_.rend()) {
    transcriber = std::move(idle->transcriber);
    idle_.erase(std::next(idle).base());
  }
  ++lent_;
  lock.unlock();
  if (!transcriber) {
    try {
      SessionOptions options;
      options.threads = threads;
      transcriber = std::make_unique<Transcriber>(*model, options);
    } catch (...) {
      lock.lock();
      --lent_;
      throw;
    }
  }
  return {shared_from_this(), std::move(model), threads, std::move(transcriber)};
}

void ServedModel::give_back(const std::shared_ptr<const Model>& opened, int threads,
                            std::unique_ptr<Transcriber> transcriber) {
  const std::lock_guard lock(mutex_);
  --lent_;
  last_used_ = Clock::now();
  if (opened == model_) idle_.push_back({threads, std::move(transcriber), last_used_});
}

void ServedModel::release_unused(std::chrono::duration<double> unused) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point time = Clock::now() - std::chrono::duration_cast<Clock::duration>(unused);
  while (idle_.size() > 1 && idle_.front().since < time) idle_.erase(idle_.begin());
  if (model_) model_->release_unused(unused);
}

bool ServedModel::close_unused(std::chrono::duration<double> unused) {
  const std::lock_guard lock(mutex_);
  if (!model_ || lent_ > 0 || Clock::now() - last_used_ < unused) return false;
  idle_.clear();
  model_.reset();
  return true;
}

ServedModelFacts ServedModel::facts() const {
  const std::lock_guard lock(mutex_);
  return {.name = name_.name,
          .created = written_at(name_.path),
          .is_loaded = model_ != nullptr,
          .languages = languages_};
}

ModelStore::ModelStore(const std::vector<ModelName>& models, RuntimeOptions options)
    : options_(std::move(options)) {
  for (const ModelName& model : models) {
    check_readable(model.path);
    const bool is_double = std::ranges::any_of(
        models_, [&](const auto& other) { return other->name() == model.name; });
    if (is_double) {
      fail(ErrorCode::invalid_argument,
           "Two models are called {}; name them apart: NAME=MODEL.tflite.", model.name);
    }
    models_.push_back(std::make_shared<ServedModel>(model, options_));
  }
}

std::shared_ptr<ServedModel> ModelStore::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& model : models_) {
    if (model->name() == name) return model;
  }
  const bool is_openai = std::ranges::find(kOpenAiNames, name) != kOpenAiNames.end();
  if (models_.size() == 1 || is_openai) return models_.front();
  std::vector<std::string> names(models_.size());
  std::ranges::transform(models_, names.begin(), [](const auto& model) { return model->name(); });
  throw ApiError(404,
                 fmt::format("The model `{}` does not exist; this server has {}.", one_line(name),
                             fmt::join(names, ", ")),
                 "model", "model_not_found");
}

std::shared_ptr<ServedModel> ModelStore::main() const {
  const std::lock_guard lock(mutex_);
  return models_.front();
}

std::vector<std::shared_ptr<ServedModel>> ModelStore::all() const {
  const std::lock_guard lock(mutex_);
  return models_;
}

void ModelStore::make_main(const std::string& name_or_path, bool any_file) {
  const auto is_meant = [&](const auto& model) {
    return model->name() == name_or_path || model->path() == name_or_path;
  };
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(models_, is_meant);
    if (found != models_.end()) {
      std::rotate(models_.begin(), found, found + 1);
      return;
    }
  }
  if (!any_file) {
    throw ApiError(404,
                   fmt::format("No model {} is served; --allow-load lets clients open others.",
                               one_line(name_or_path)),
                   "model", "model_not_found");
  }
  const fs::path path = name_or_path;
  check_readable(path);
  auto opened = std::make_shared<ServedModel>(ModelName{path.stem().string(), path}, options_);
  (void)opened->open();
  const std::lock_guard lock(mutex_);
  std::erase_if(models_, [&](const auto& model) { return model->name() == opened->name(); });
  models_.insert(models_.begin(), std::move(opened));
}

}  // namespace whisper_s4y::server
