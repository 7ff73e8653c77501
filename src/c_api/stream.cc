#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "c_api/model.h"
#include "c_api/options.h"
#include "c_api/transcript.h"
#include "c_api/transcriptions.h"

namespace whisper_s4y::c_api {
namespace {

constexpr size_t kAhead = 64;  // segments that wait to be taken

}  // namespace
}  // namespace whisper_s4y::c_api

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

/// What its thread and its owner share.
struct whisper_s4y_stream {
 public:
  using Transcribe = std::function<Transcript(const TranscribeCallbacks& callbacks)>;

  explicit whisper_s4y_stream(Transcribe transcribe)
      : transcribe_(std::move(transcribe)), thread_([this] { run(); }) {}

  ~whisper_s4y_stream() {
    stop();
    thread_.join();
  }
  whisper_s4y_stream(const whisper_s4y_stream&) = delete;
  whisper_s4y_stream& operator=(const whisper_s4y_stream&) = delete;

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  whisper_s4y_stream_state next(int wait_ms, whisper_s4y_segment* segment) {
    std::unique_lock lock(mutex_);
    begin_taking();
    wait(lock, wait_ms, [this] { return !waiting_.empty() || is_over_; });
    if (waiting_.empty()) {
      if (!is_over_) return WHISPER_S4Y_STREAM_WAITING;
      rethrow();
      return WHISPER_S4Y_STREAM_END;
    }
    check_struct_size(segment, "segment");  // before the segment is taken
    taken_ = std::move(waiting_.front());
    waiting_.pop_front();
    changed_.notify_all();
    give(segment, c_segment(taken_), "segment");
    return WHISPER_S4Y_STREAM_SEGMENT;
  }

  std::optional<std::string> languages(int wait_ms) {
    std::unique_lock lock(mutex_);
    wait(lock, wait_ms, [this] { return languages_ || is_over_; });
    if (!languages_ && is_over_) {
      rethrow();
      return "[]";
    }
    return languages_;
  }

  Transcript transcript() {
    std::unique_lock lock(mutex_);
    takes_all_ = true;
    begin_taking();
    wait(lock, -1, [this] { return is_over_; });
    rethrow();
    return transcript_;
  }

  std::pair<double, double> progress() {
    const std::lock_guard lock(mutex_);
    return progress_;
  }

  std::optional<std::string> warning() {
    const std::lock_guard lock(mutex_);
    if (warnings_.empty()) return std::nullopt;
    std::string message = std::move(warnings_.front());
    warnings_.pop_front();
    return message;
  }

 private:
  template <typename Condition>
  void wait(std::unique_lock<std::mutex>& lock, int wait_ms, Condition condition) {
    if (wait_ms < 0) {
      changed_.wait(lock, condition);
    } else {
      changed_.wait_for(lock, std::chrono::milliseconds(wait_ms), condition);
    }
  }

  void begin_taking() {
    is_taken_ = true;
    changed_.notify_all();
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  void run() {
    Transcript transcript;
    std::exception_ptr error;
    try {
      transcript = transcribe_(callbacks());
    } catch (...) {  // is thrown again where the owner asks
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    transcript_ = std::move(transcript);
    error_ = error;
    is_over_ = true;
    changed_.notify_all();
  }

  TranscribeCallbacks callbacks() {
    TranscribeCallbacks result;
    result.on_languages = [this](const auto& languages) {
      std::unique_lock lock(mutex_);
      languages_ = languages_json(languages);
      changed_.notify_all();
      changed_.wait(lock, [this] { return is_taken_ || stopped_; });
    };
    result.on_segment = [this](const Segment& segment) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return waiting_.size() < kAhead || takes_all_ || stopped_; });
      waiting_.push_back(segment);
      changed_.notify_all();
    };
    result.on_progress = [this](double done, double total) {
      const std::lock_guard lock(mutex_);
      progress_ = {done, total};
    };
    result.on_warning = [this](const std::string& message) {
      const std::lock_guard lock(mutex_);
      warnings_.push_back(message);
    };
    result.cancelled = [this] { return stopped_.load(); };
    return result;
  }

  Transcribe transcribe_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Segment> waiting_;  // that were not taken
  Segment taken_;                // the last one that was
  std::optional<std::string> languages_;
  std::deque<std::string> warnings_;
  std::pair<double, double> progress_;
  bool is_taken_ = false;   // somebody asks for segments
  bool takes_all_ = false;  // however many wait
  std::atomic<bool> stopped_ = false;
  bool is_over_ = false;
  Transcript transcript_;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the others
};

namespace {

whisper_s4y_status start(whisper_s4y_transcriber* transcriber, const whisper_s4y_options* options,
                         whisper_s4y_stream** stream,
                         const std::function<std::shared_ptr<AudioReader>()>& open) {
  return guarded_call([&] {
    needed(stream, "stream") = nullptr;
    Transcriber& target = needed(transcriber, "transcriber").transcriber;
    const auto transcribe_options = options_of<TranscribeOptions>(options, "options");
    transcribe_options.validate();  // before anything is read
    *stream = new whisper_s4y_stream(
        [&target, transcribe_options, reader = open()](const TranscribeCallbacks& callbacks) {
          return target.transcribe_channels(*reader, transcribe_options, callbacks);
        });
  });
}

void give_text(const std::optional<std::string>& text, char** copy) {
  if (text) *copy = copy_text(*text);
}

}  // namespace

whisper_s4y_status whisper_s4y_stream_samples(whisper_s4y_transcriber* transcriber,
                                              const float* samples, size_t count,
                                              const whisper_s4y_options* options,
                                              whisper_s4y_stream** stream) {
  return guarded_call([&] {
    needed(stream, "stream") = nullptr;
    Transcriber& target = needed(transcriber, "transcriber").transcriber;
    const std::span<const float> sound = numbers(samples, count, "samples");
    const auto transcribe_options = options_of<TranscribeOptions>(options, "options");
    transcribe_options.validate();
    *stream = new whisper_s4y_stream(
        [&target, sound, transcribe_options](const TranscribeCallbacks& callbacks) {
          return target.transcribe(sound, transcribe_options, callbacks);
        });
  });
}

whisper_s4y_status whisper_s4y_stream_file(whisper_s4y_transcriber* transcriber, const char* path,
                                           const whisper_s4y_options* audio,
                                           const whisper_s4y_options* options,
                                           whisper_s4y_stream** stream) {
  return start(transcriber, options, stream, [&] {
    return std::make_shared<AudioReader>(needed_text(path, "path"),
                                         options_of<AudioOptions>(audio, "audio"));
  });
}

whisper_s4y_status whisper_s4y_stream_memory(whisper_s4y_transcriber* transcriber, const void* file,
                                             size_t size, const whisper_s4y_options* audio,
                                             const whisper_s4y_options* options,
                                             whisper_s4y_stream** stream) {
  return start(transcriber, options, stream, [&] {
    return std::make_shared<AudioReader>(
        Span<const std::byte>(numbers(static_cast<const std::byte*>(file), size, "file")),
        "the recording in memory", options_of<AudioOptions>(audio, "audio"));
  });
}

void whisper_s4y_stream_destroy(whisper_s4y_stream* stream) { delete stream; }

whisper_s4y_status whisper_s4y_stream_next(whisper_s4y_stream* stream, int wait_ms,
                                           whisper_s4y_segment* segment,
                                           whisper_s4y_stream_state* state) {
  return guarded_call([&] {
    needed(state, "state") = WHISPER_S4Y_STREAM_WAITING;
    *state = needed(stream, "stream").next(wait_ms, &needed(segment, "segment"));
  });
}

whisper_s4y_status whisper_s4y_stream_languages(whisper_s4y_stream* stream, int wait_ms,
                                                char** json) {
  return guarded_call([&] {
    needed(json, "json") = nullptr;
    give_text(needed(stream, "stream").languages(wait_ms), json);
  });
}

whisper_s4y_status whisper_s4y_stream_progress(whisper_s4y_stream* stream, double* done,
                                               double* total) {
  return guarded_call([&] {
    needed(done, "done") = 0;
    needed(total, "total") = 0;
    std::tie(*done, *total) = needed(stream, "stream").progress();
  });
}

whisper_s4y_status whisper_s4y_stream_warning(whisper_s4y_stream* stream, char** message) {
  return guarded_call([&] {
    needed(message, "message") = nullptr;
    give_text(needed(stream, "stream").warning(), message);
  });
}

void whisper_s4y_stream_stop(whisper_s4y_stream* stream) {
  if (stream != nullptr) stream->stop();
}

whisper_s4y_status whisper_s4y_stream_transcript(whisper_s4y_stream* stream,
                                                 whisper_s4y_transcript** transcript) {
  return guarded_call([&] {
    needed(transcript, "transcript") = nullptr;
    *transcript = new whisper_s4y_transcript{needed(stream, "stream").transcript()};
  });
}
