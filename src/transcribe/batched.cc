#include "transcribe/batched.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "common/cancellation.h"
#include "transcribe/language_vote.h"
#include "transcribe/window_transcriber.h"
#include "transcribe/word_timestamps.h"

namespace whisper_s4y {
namespace {

// A chunk ends with the padding of its last segment: this much may be silent.
constexpr int kShortRest = 100;  // frames

}  // namespace

/// What the threads share.
struct Batched::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<size_t, Window>> waiting;  // that nobody has taken
  std::map<size_t, std::vector<Segment>> results;
  std::atomic<bool> stopped = false;  // nothing more is taken, and what runs ends
  std::exception_ptr error;           // the first one
};

Batched::Batched(std::vector<DecoderModel*> models, const Tokenizer& tokenizer, SoundBuffer& sound,
                 SpeechParts& speech, const TranscribeOptions& options,
                 const TranscribeCallbacks& callbacks, LanguageStretches* stretches)
    : models_(std::move(models)),
      tokenizer_(tokenizer),
      sound_(sound),
      speech_(speech),
      options_(options),
      callbacks_(callbacks),
      stretches_(stretches),
      chunks_(static_cast<int64_t>(kLongestChunk * kSampleRate)) {}

Transcript Batched::run() {
  if (stretches_ != nullptr && stretches_->at(0, 0) == nullptr) stretches_ = nullptr;
  std::optional<Window> first = collect_window();
  if (!first) return without_speech(options_, models_[0]->info());
  ready_.push_back(*std::move(first));
  const LanguageProbs languages = find_languages();
  std::tie(transcript_.language, transcript_.language_probability) = most_likely(languages);
  if (callbacks_.on_languages) callbacks_.on_languages(likeliest_first(languages));
  if (models_.size() == 1) {
    run_alone();
  } else {
    run_side_by_side();
  }
  // Of all the speech in the first stretch, which is known only now.
  if (stretches_ != nullptr) transcript_.language_probability = stretches_->at(0, 0)->probability;
  const GenerationConfig& generation = models_[0]->info().generation;
  transcript_.text = text_of(transcript_.segments, tokenizer_, generation);
  return std::move(transcript_);
}

// What remains of the speech, or its part in one language.
std::optional<SpeechSegment> Batched::next_part() {
  if (!rest_) rest_ = speech_.next();
  if (!rest_ || stretches_ == nullptr) return std::exchange(rest_, std::nullopt);
  const LanguageStretch* stretch = stretches_->at(rest_->start, rest_->end);
  const SpeechSegment part = {.start = rest_->start, .end = std::min(rest_->end, stretch->end)};
  part_language_ = stretch->language;
  rest_->start = part.end;
  if (rest_->size() <= 0) rest_.reset();
  return part;
}

std::optional<Batched::Window> Batched::collect_window() {
  while (!is_over_) {
    const std::optional<SpeechSegment> part = next_part();
    is_over_ = !part;
    std::optional<SpeechChunk> ended;
    if (!part || part_language_ != collected_language_) ended = chunks_.finish();
    if (part) {
      std::optional<SpeechChunk> full = chunks_.add(*part);
      if (full) ended = std::move(full);
    }
    std::optional<Window> window;
    if (ended) window = {*std::move(ended), collected_language_, std::exchange(collected_, {})};
    collected_language_ = part_language_;
    if (part) {
      collected_.reserve(kWindowSamples);  // a part is no longer, nor are some that are joined
      const size_t before = collected_.size();
      collected_.resize(before + static_cast<size_t>(part->size()));
      sound_.copy(part->start, part->end, collected_.data() + before);
    }
    if (window) return window;
  }
  return std::nullopt;
}

std::optional<Batched::Window> Batched::next_window() {
  if (ready_.empty()) return collect_window();
  Window window = std::move(ready_.front());
  ready_.pop_front();
  return window;
}

void Batched::run_alone() {
  while (const std::optional<Window> window = next_window()) {
    if (callbacks_.cancelled && callbacks_.cancelled()) return;
    keep(transcribe(*models_[0], *window), static_cast<double>(window->speech.segments.back().end));
  }
}

void Batched::run_side_by_side() {
  Queue queue;
  std::vector<std::jthread> threads;
  // Whatever is thrown, by a callback or because there can be no more threads, the threads end soon
  // and before the queue does.
  struct Stop {
    Queue& queue;
    ~Stop() {
      const std::lock_guard lock(queue.mutex);
      queue.stopped = true;
      queue.changed.notify_all();
    }
  } stop{queue};
  // Not so many that much sound waits, and not so few that a model does.
  const size_t most = 2 * models_.size();
  std::vector<double> ends;  // of the windows taken, in samples
  bool has_more = true;
  for (size_t kept = 0;;) {
    std::unique_lock lock(queue.mutex);
    const bool may_take = has_more && ends.size() - kept < most;
    const auto is_there = [&] { return queue.results.contains(kept) || queue.error; };
    if (may_take && !is_there()) {
      lock.unlock();
      std::optional<Window> window = next_window();
      has_more = window.has_value();
      if (!has_more) continue;
      ends.push_back(static_cast<double>(window->speech.segments.back().end));
      lock.lock();
      queue.waiting.emplace_back(ends.size() - 1, *std::move(window));
      queue.changed.notify_all();
      lock.unlock();
      if (threads.size() < models_.size()) {
        DecoderModel* model = models_[threads.size()];
        threads.emplace_back([this, model, &queue] { work(*model, queue); });
      }
      continue;
    }
    if (kept == ends.size()) return;
    lock.unlock();
    if (callbacks_.cancelled && callbacks_.cancelled()) return;
    lock.lock();
    if (callbacks_.cancelled) {
      while (!queue.changed.wait_for(lock, Cancellation::kInterval, is_there)) {
        lock.unlock();
        if (callbacks_.cancelled()) return;
        lock.lock();
      }
    } else {
      queue.changed.wait(lock, is_there);
    }
    if (queue.error) std::rethrow_exception(queue.error);
    std::vector<Segment> segments = std::move(queue.results.extract(kept).mapped());
    lock.unlock();
    keep(std::move(segments), ends[kept]);
    ++kept;
  }
}

void Batched::work(DecoderModel& model, Queue& queue) const {
  Cancellation cancellation([&] { return queue.stopped.load(); });
  model.set_cancellation(&cancellation);
  work_to_the_end(model, queue);
  model.set_cancellation(nullptr);
}

void Batched::work_to_the_end(DecoderModel& model, Queue& queue) const {
  for (;;) {
    std::pair<size_t, Window> taken;
    {
      std::unique_lock lock(queue.mutex);
      queue.changed.wait(lock, [&] { return queue.stopped || !queue.waiting.empty(); });
      if (queue.stopped || queue.error) return;
      taken = std::move(queue.waiting.front());
      queue.waiting.pop_front();
    }
    try {
      std::vector<Segment> segments = transcribe(model, taken.second);
      const std::lock_guard lock(queue.mutex);
      queue.results[taken.first] = std::move(segments);
    } catch (const Cancelled&) {
      return;
    } catch (...) {  // is thrown again by run()
      const std::lock_guard lock(queue.mutex);
      if (!queue.error) queue.error = std::current_exception();
    }
    queue.changed.notify_all();
  }
}

LanguageProbs Batched::find_languages() {
  DecoderModel& model = *models_[0];
  if (options_.language) return {{*options_.language, 1.0F}};
  if (!model.info().generation.is_multilingual) return {{"en", 1.0F}};
  if (stretches_ != nullptr) {
    const LanguageStretch* first = stretches_->at(0, 0);
    return {{first->language, first->probability}};
  }
  LanguageVote vote(options_.language_detection_threshold);
  const auto windows = static_cast<size_t>(options_.language_detection_segments);
  for (size_t i = 0; i < windows; ++i) {
    if (i == ready_.size()) {
      std::optional<Window> more = collect_window();
      if (!more) break;
      ready_.push_back(*std::move(more));
    }
    MemorySound sound(ready_[i].samples);
    LogMel log_mel(model, sound);
    WindowTranscriber window(model, tokenizer_, options_);
    window.encode_with_silence(log_mel, 0);
    if (vote.decides(window.language_probs())) break;
  }
  return vote.probs();
}

std::vector<Segment> Batched::transcribe(DecoderModel& model, const Window& shown) const {
  const SpeechChunk& chunk = shown.speech;
  MemorySound sound(shown.samples);
  LogMel log_mel(model, sound);
  WindowTranscriber window(model, tokenizer_, options_);
  const GenerationConfig& generation = model.info().generation;
  WindowContext context;
  context.language = shown.language.empty() ? transcript_.language : shown.language;
  std::vector<int> initial_prompt;
  const bool is_first = chunk.offset == 0;
  if (is_first || options_.carry_initial_prompt) {
    initial_prompt = encode_text(tokenizer_, options_.initial_prompt);
  }
  context.prompt = window.prompt({}, initial_prompt);
  if (is_first) context.prefix = encode_text(tokenizer_, options_.prefix);

  std::vector<Segment> result;
  const SoundSpans spans = joined_spans(chunk.segments);
  double last_speech = 0.0;
  double last_end = 0.0;
  const int end = std::min(log_mel.content_frames().value_or(0), kWindowFrames);
  for (int seek = 0; seek == 0 || end - seek > kShortRest;) {
    const WindowPlace place{seek, end - seek};
    window.encode(log_mel, place);
    context.speech_until = static_cast<float>((place.segment_size - kShortRest) / kFramesPerSecond);
    context.place = static_cast<uint64_t>(chunk.offset / kHopLength + seek);
    const DecodingResult decoded = window.decode(context);
    if (window.is_silence(decoded)) break;
    context.prefix.clear();
    WindowSegments found = split_segments(decoded, place, tokenizer_, generation, Rest::keep);
    end_with_window(found.segments, place);
    found.segments = window.cut(std::move(found.segments), spans, place, context.language);
    if (options_.word_timestamps) {
      window.add_words(found.segments, place, context.language, last_speech);
      last_speech = last_word_end(found.segments, last_speech);
    }
    for (Segment& segment : found.segments) {
      if (!says_something(segment)) continue;
      const SoundSpan& limits = spans[spans.main(segment.start, segment.end)];
      if (!put_in_order(segment, limits, last_end)) continue;
      last_end = segment.end;
      result.push_back(std::move(segment));
    }
    if (found.next_seek <= seek) break;
    seek = found.next_seek;
  }
  const SpeechTimestampsMap map(chunk.segments);
  for (Segment& segment : result) {
    segment.language = context.language;
    restore_times(segment, map);
  }
  return result;
}

void Batched::keep(std::vector<Segment> segments, double end) {
  for (Segment& segment : segments) {
    segment.id = static_cast<int>(transcript_.segments.size());
    shrink(segment);
    transcript_.segments.push_back(std::move(segment));
    if (callbacks_.on_segment) callbacks_.on_segment(transcript_.segments.back());
  }
  if (callbacks_.on_progress) callbacks_.on_progress(end / kSampleRate, sound_.total_seconds());
}

}  // namespace whisper_s4y
