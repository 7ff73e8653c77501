#include "transcribe/batched.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <tuple>

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
  explicit Queue(size_t chunks) : results(chunks) {}

  std::mutex mutex;
  std::condition_variable changed;
  size_t next = 0;  // the first chunk that nobody has taken
  bool stopped = false;
  std::exception_ptr error;  // the first one
  std::vector<std::optional<std::vector<Segment>>> results;
};

Batched::Batched(std::span<DecoderModel* const> models, const Tokenizer& tokenizer,
                 std::span<const float> audio, std::span<const SpeechSegment> speech,
                 const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
                 std::span<const LanguageStretch> stretches)
    : models_(models),
      tokenizer_(tokenizer),
      audio_(audio),
      options_(options),
      callbacks_(callbacks),
      stretches_(stretches) {
  const auto longest = static_cast<int64_t>(kLongestChunk * kSampleRate);
  if (stretches.empty()) {
    chunks_ = collect_chunks(speech, longest);
    return;
  }
  int64_t offset = 0;
  for (const LanguageRun& run : runs_of(speech, stretches)) {
    for (SpeechChunk& chunk : collect_chunks(run.speech, longest)) {
      chunk.offset = offset;
      offset += chunk.duration;
      chunks_.push_back(std::move(chunk));
      languages_.push_back(run.language);
    }
  }
}

Transcript Batched::run() {
  transcript_.duration = static_cast<double>(audio_.size()) / kSampleRate;
  std::tie(transcript_.language, transcript_.language_probability) = detect_language();

  Queue queue(chunks_.size());
  std::vector<std::jthread> threads;
  // Whatever is thrown, by a callback or because there can be no more threads, the threads end soon
  // and before the queue does.
  struct Stop {
    Queue& queue;
    ~Stop() {
      const std::lock_guard lock(queue.mutex);
      queue.stopped = true;
    }
  } stop{queue};
  for (DecoderModel* model : models_.first(std::min(models_.size(), chunks_.size()))) {
    threads.emplace_back([this, model, &queue] { work(*model, queue); });
  }
  for (size_t i = 0; i < chunks_.size(); ++i) {
    if (callbacks_.cancelled && callbacks_.cancelled()) break;
    std::unique_lock lock(queue.mutex);
    queue.changed.wait(lock, [&] { return queue.results[i] || queue.error; });
    if (queue.error) std::rethrow_exception(queue.error);
    std::vector<Segment> segments = *std::move(queue.results[i]);
    lock.unlock();
    keep(std::move(segments));
    if (callbacks_.on_progress) {
      const auto end = static_cast<double>(chunks_[i].segments.back().end);
      callbacks_.on_progress(end / kSampleRate, transcript_.duration);
    }
  }
  const GenerationConfig& generation = models_[0]->info().generation;
  transcript_.text = text_of(transcript_.segments, tokenizer_, generation);
  return std::move(transcript_);
}

void Batched::work(DecoderModel& model, Queue& queue) const {
  for (;;) {
    size_t index = 0;
    {
      const std::lock_guard lock(queue.mutex);
      if (queue.stopped || queue.error || queue.next == chunks_.size()) return;
      index = queue.next++;
    }
    try {
      std::vector<Segment> segments = transcribe_chunk(model, index);
      const std::lock_guard lock(queue.mutex);
      queue.results[index] = std::move(segments);
    } catch (...) {  // is thrown again by run()
      const std::lock_guard lock(queue.mutex);
      if (!queue.error) queue.error = std::current_exception();
    }
    queue.changed.notify_one();
  }
}

std::pair<std::string, float> Batched::detect_language() const {
  DecoderModel& model = *models_[0];
  if (options_.language) return {*options_.language, 1.0F};
  if (!model.info().generation.is_multilingual) return {"en", 1.0F};
  if (!stretches_.empty()) return {stretches_[0].language, stretches_[0].probability};
  LanguageVote vote(options_.language_detection_threshold);
  const auto windows = static_cast<size_t>(options_.language_detection_segments);
  for (size_t i = 0; i < std::min(windows, chunks_.size()); ++i) {
    const LogMel log_mel(model, collect_audio(audio_, chunks_[i].segments));
    WindowTranscriber window(model, tokenizer_, options_);
    window.encode_with_silence(log_mel, 0);
    if (vote.decides(window.language_probs())) break;
  }
  return most_likely(vote.probs());
}

std::vector<Segment> Batched::transcribe_chunk(DecoderModel& model, size_t index) const {
  const SpeechChunk& chunk = chunks_[index];
  const LogMel log_mel(model, collect_audio(audio_, chunk.segments));
  WindowTranscriber window(model, tokenizer_, options_);
  const GenerationConfig& generation = model.info().generation;
  WindowContext context;
  context.language = languages_.empty() ? transcript_.language : languages_[index];
  std::vector<int> initial_prompt;
  if (index == 0 || options_.carry_initial_prompt) {
    initial_prompt = encode_text(tokenizer_, options_.initial_prompt);
  }
  context.prompt = window.prompt({}, initial_prompt);
  if (index == 0) context.prefix = encode_text(tokenizer_, options_.prefix);

  std::vector<Segment> result;
  const SoundSpans spans = joined_spans(chunk.segments);
  double last_speech = 0.0;
  double last_end = 0.0;
  const int end = std::min(log_mel.content_frames(), kWindowFrames);
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

void Batched::keep(std::vector<Segment> segments) {
  for (Segment& segment : segments) {
    segment.id = static_cast<int>(transcript_.segments.size());
    transcript_.segments.push_back(std::move(segment));
    if (callbacks_.on_segment) callbacks_.on_segment(transcript_.segments.back());
  }
}

}  // namespace whisper_s4y
