// The models that are served, by name.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whisper_s4y/model.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y::server {

/// A model as it was named at the start: MODEL.tflite or NAME=MODEL.tflite.
struct ModelName {
  std::string name;
  std::filesystem::path path;

  /// Without a name that of the file, "whisper-base" of x/whisper-base.tflite.
  [[nodiscard]] static ModelName parse(const std::string& argument);
};

/// What is told of a served model.
struct ServedModelFacts {
  std::string name;
  std::time_t created = 0;  // when its file was written
  bool is_loaded = false;
  std::vector<std::string> languages;  // codes; empty while it was never open
};

/// One model: open while it is used, and for a while after. Thread-safe.
class ServedModel : public std::enable_shared_from_this<ServedModel> {
 public:
  ServedModel(ModelName name, RuntimeOptions options);

  /// A transcriber that nobody else uses; goes back when this goes.
  class Lease {
   public:
    Lease(std::shared_ptr<ServedModel> model, std::shared_ptr<const Model> opened, int threads,
          std::unique_ptr<Transcriber> transcriber);
    ~Lease();
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;

    [[nodiscard]] Transcriber& operator*() const { return *transcriber_; }
    [[nodiscard]] Transcriber* operator->() const { return transcriber_.get(); }
    [[nodiscard]] const Model& model() const { return *opened_; }

   private:
    std::shared_ptr<ServedModel> owner_;
    std::shared_ptr<const Model> opened_;
    int threads_;
    std::unique_ptr<Transcriber> transcriber_;
  };

  /// Opens the model unless it is. Throws Error when it cannot be.
  [[nodiscard]] Lease take(int threads);
  /// The same without a transcriber.
  [[nodiscard]] std::shared_ptr<const Model> open();
  /// Frees what nobody has needed for so long, but for one of everything.
  void release_unused(std::chrono::duration<double> unused);
  /// Closes it when nobody has used it for so long; true when it did.
  bool close_unused(std::chrono::duration<double> unused);

  [[nodiscard]] const std::string& name() const { return name_.name; }
  [[nodiscard]] const std::filesystem::path& path() const { return name_.path; }
  [[nodiscard]] ServedModelFacts facts() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Idle {
    int threads;
    std::unique_ptr<Transcriber> transcriber;
    Clock::time_point since;
  };

  std::shared_ptr<const Model> open_locked();
  void give_back(const std::shared_ptr<const Model>& opened, int threads,
                 std::unique_ptr<Transcriber> transcriber);

  const ModelName name_;
  const RuntimeOptions options_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Model> model_;
  std::vector<Idle> idle_;  // the one that was used last is the last
  int lent_ = 0;
  Clock::time_point last_used_ = Clock::now();
  std::vector<std::string> languages_;
};

/// All of them. Thread-safe.
class ModelStore {
 public:
  /// Checks that every file is there. Throws Error when one is not, or two have one name.
  ModelStore(const std::vector<ModelName>& models, RuntimeOptions options);

  /// The model a request means. OpenAI's names, and where one model is served any name, mean the
  /// first. Throws ApiError (404).
  [[nodiscard]] std::shared_ptr<ServedModel> find(std::string_view name) const;
  /// The first one.
  [[nodiscard]] std::shared_ptr<ServedModel> main() const;
  [[nodiscard]] std::vector<std::shared_ptr<ServedModel>> all() const;

  /// Makes another model the first: one that is served, by name or path, or with `any_file` any
  /// model file. Throws ApiError (404), and Error when it cannot be opened.
  void make_main(const std::string& name_or_path, bool any_file);

 private:
  RuntimeOptions options_;
  mutable std::mutex mutex_;  // of what follows
  std::vector<std::shared_ptr<ServedModel>> models_;
};

}  // namespace whisper_s4y::server
