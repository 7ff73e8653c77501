#include "transcribe/long_form.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

#include "transcribe/hallucination.h"
#include "transcribe/language_vote.h"
#include "transcribe/word_timestamps.h"

namespace whisper_s4y {
namespace {

// A first timestamp is at most 1 s by default, so that more silence would shift the text.
constexpr int kLongSilence = 100;  // frames
constexpr int kLeadIn = 20;        // frames of it that stay

// The last window of a clip, if it is shorter, counts only when somebody speaks in it.
constexpr int kShortRest = 300;        // frames
constexpr int kBeforeRest = 50;        // frames that the detector hears before
constexpr float kMaybeSpeech = 0.35F;  // probability

constexpr float kNoDoubt = 0.9F;  // probability of a window's language

void append(std::vector<int>& to, std::span<const int> tokens) {
  to.insert(to.end(), tokens.begin(), tokens.end());
}

}  // namespace

LongForm::LongForm(DecoderModel& model, const Tokenizer& tokenizer, SoundBuffer& sound,
                   const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
                   DetectorSource detector, LanguageStretches* stretches, const SoundSpans* speech)
    : model_(model),
      tokenizer_(tokenizer),
      options_(options),
      callbacks_(callbacks),
      detector_(std::move(detector)),
      sound_(sound),
      stretches_(stretches),
      log_mel_(model, sound),
      audible_(log_mel_, kLongSilence),
      windows_(model, tokenizer, options),
      clips_(clips_of(options.clip_timestamps, kOpenEnd)),
      speech_(speech),
      initial_prompt_(encode_text(tokenizer, options.initial_prompt)),
      prefix_(encode_text(tokenizer, options.prefix)) {}

Transcript LongForm::run() {
  if (stretches_ != nullptr && stretch_at(0, 0) == nullptr) stretches_ = nullptr;
  if (const LanguageProbs languages = find_languages(); !languages.empty()) {
    std::tie(transcript_.language, transcript_.language_probability) = most_likely(languages);
    if (callbacks_.on_languages) callbacks_.on_languages(likeliest_first(languages));
  }

  for (const Clip& clip : clips_) {
    if (stretches_ == nullptr) {
      speak(transcript_.language);
      (void)walk(clip);
      continue;
    }
    // A part of the clip in each language.
    for (std::optional<int> begin = clip.begin;
         begin && *begin < clip.end && hear(*begin) && !is_over(*begin);) {
      speak(stretch_at(*begin, *begin + 1)->language);
      begin = walk({*begin, clip.end});
    }
  }

  // Of all its speech, which is known only now.
  if (stretches_ != nullptr) transcript_.language_probability = stretch_at(0, 0)->probability;
  transcript_.text = text_of(transcript_.segments, tokenizer_, model_.info().generation);
  return std::move(transcript_);
}

bool LongForm::is_cancelled() const { return callbacks_.cancelled && callbacks_.cancelled(); }

// Never goes back, though a walk does when it has looked ahead for the language, when clips are not
// in order, or when a window is decoded again.
void LongForm::tell_progress(int frame) {
  if (!callbacks_.on_progress) return;
  const int done = std::min(frame, log_mel_.content_frames().value_or(frame));
  if (done <= told_) return;
  told_ = done;
  callbacks_.on_progress(done / kFramesPerSecond, sound_.total_seconds());
}

// Returns where the clip has ended, or its part in one language; nothing when that was cancelled.
std::optional<int> LongForm::walk(const Clip& clip) {
  for (int seek = clip.begin;;) {
    if (seek >= clip.end || is_over(seek)) return end_of(clip, seek);
    if (is_cancelled() || !hear(seek)) return std::nullopt;
    const std::optional<int> sound = next_sound(clip, seek);
    if (!sound || !hear(*sound)) return std::nullopt;
    seek = *sound;
    const int end = end_of(clip, seek);
    if (seek >= end || is_empty_rest(clip, seek, end)) return end;
    const WindowPlace place{seek, std::min(kWindowFrames, end - seek)};
    const int next = transcribe_window(place);
    // Whatever the model says, the walk goes on.
    seek = next > seek ? next : seek + place.segment_size;
    tell_progress(seek);
  }
}

// Hears the window at `seek`, what it takes to get there, and what lies ahead. False when that was
// cancelled.
bool LongForm::hear(int seek) {
  for (;;) {
    const int step = std::min(seek, log_mel_.heard());
    look(step);  // before it is forgotten
    log_mel_.hear(step);
    look(step + 2 * kWindowFrames);
    if (step >= seek || is_over(step)) return true;
    tell_progress(step);
    if (is_cancelled()) return false;
  }
}

void LongForm::look(int until) {
  if (speech_ == nullptr) audible_.look(std::min(until, log_mel_.heard()));
}

// Whether the recording has no such frame, as far as is known.
bool LongForm::is_over(int frame) const {
  const auto content = log_mel_.content_frames();
  return content && frame >= *content;
}

// Frame by frame: a stretch ends with the last whole one.
const LanguageStretch* LongForm::stretch_at(int begin, int until) {
  return stretches_->at(int64_t{begin} * kHopLength + kHopLength - 1, int64_t{until} * kHopLength);
}

// Where the clip ends, or its language, or the recording; right when it is within a window and what
// may be a short rest after it.
int LongForm::end_of(const Clip& clip, int seek) {
  int end = std::min(clip.end, log_mel_.content_frames().value_or(clip.end));
  if (stretches_ != nullptr) {
    const int64_t stretch_end =
        stretch_at(clip.begin, std::min(end, seek + kWindowFrames + kShortRest))->end / kHopLength;
    end = static_cast<int>(std::min<int64_t>(end, stretch_end));
  }
  return end;
}

// Where the window begins: long silence before its sound is left out. Nothing when that was
// cancelled.
std::optional<int> LongForm::next_sound(const Clip& clip, int seek) {
  if (speech_ != nullptr) return seek;
  size_t i = 0;
  for (;;) {
    const SoundSpans& spans = audible_.found();
    while (i < spans.size() && spans[i].end <= seek / kFramesPerSecond) ++i;
    if (i < spans.size()) {
      const int sound = frame_at(spans[i].begin);
      return sound - seek < kLongSilence ? seek : sound - kLeadIn;
    }
    // Silence as far as it was looked at.
    const int looked_at = audible_.looked_at();
    if (looked_at >= clip.end || is_over(looked_at)) {
      tell_progress(looked_at);
      return std::max(seek, std::min(clip.end, looked_at));
    }
    tell_progress(looked_at);
    if (is_cancelled() || !hear(looked_at)) return std::nullopt;
  }
}

// Whether nobody speaks in the little that is left after other windows: the model would make up a
// farewell.
bool LongForm::is_empty_rest(const Clip& clip, int seek, int end) {
  if (!detector_ || seek == clip.begin || end - seek >= kShortRest) return false;
  const int begin = std::max(clip.begin, seek - kBeforeRest);
  const std::vector<float> probs =
      detector_().speech_probs(sound_.copy(int64_t{begin} * kHopLength, int64_t{end} * kHopLength));
  const auto first = static_cast<size_t>(seek - begin) * kHopLength / kVadChunk;
  return std::all_of(probs.begin() + static_cast<ptrdiff_t>(std::min(first, probs.size())),
                     probs.end(), [](float prob) { return prob < kMaybeSpeech; });
}

const SoundSpans& LongForm::spans() const {
  return speech_ != nullptr ? *speech_ : audible_.found();
}

SoundSpan LongForm::limits_of(const Segment& segment) const {
  if (spans().size() > 0) {
    const SoundSpan& main = spans()[spans().main(segment.start, segment.end)];
    if (speech_ != nullptr || (main.begin < segment.end && segment.start < main.end)) return main;
  }
  const int end = log_mel_.content_frames().value_or(log_mel_.heard());
  return {0.0, end / kFramesPerSecond};
}

// None when that was cancelled.
LanguageProbs LongForm::find_languages() {
  if (options_.language) return {{*options_.language, 1.0F}};
  if (!model_.info().generation.is_multilingual) return {{"en", 1.0F}};
  if (stretches_ == nullptr) return detect_language();
  const LanguageStretch* first = stretch_at(0, 0);
  return {{first->language, first->probability}};
}

LanguageProbs LongForm::detect_language() {
  SpeechWindows speech(detector_, sound_, clips_);
  LanguageVote vote(options_.language_detection_threshold);
  for (int i = 0; i < options_.language_detection_segments; ++i) {
    const std::optional<int> begin = speech.next();
    if (!begin) break;
    // A pipe cannot be heard again from its beginning.
    const bool is_late = int64_t{*begin + kWindowFrames} * kHopLength > kLookAhead;
    if (i > 0 && is_late && !sound_.can_rewind()) break;
    if (!hear(*begin)) return {};
    if (vote.decides(window_languages(*begin))) break;
  }
  return vote.probs();
}

// The reference detects on a window that silence fills up and decodes one that 0.0 does, which
// encodes a short recording twice. Where the window to decode leaves no doubt it does for both.
LanguageProbs LongForm::window_languages(int begin) {
  const int content = log_mel_.content_frames().value_or(begin + kWindowFrames);
  const WindowPlace place{begin, std::min(kWindowFrames, content - begin)};
  windows_.encode(log_mel_, place);
  LanguageProbs probs = windows_.language_probs();
  if (place.segment_size == kWindowFrames || most_likely(probs).second >= kNoDoubt) return probs;
  windows_.encode_with_silence(log_mel_, begin);
  return windows_.language_probs();
}

// What follows is in that language. The initial prompt comes before the first text alone.
void LongForm::speak(const std::string& language) {
  language_ = language;
  const bool first = histories_.empty();
  History& history = histories_[language];
  if (first && !options_.carry_initial_prompt) history.tokens = initial_prompt_;
}

std::vector<int> LongForm::prompt() const {
  const History& history = histories_.at(language_);
  const std::span<const int> carried(initial_prompt_);
  return windows_.prompt(options_.carry_initial_prompt ? carried : carried.first(0),
                         std::span(history.tokens).subspan(history.reset_since));
}

// Returns where the next window begins.
int LongForm::transcribe_window(const WindowPlace& place) {
  // The model would make up a word or two.
  if (log_mel_.is_silent(place.seek, place.segment_size)) return place.seek + place.segment_size;
  windows_.encode(log_mel_, place);
  const DecodingResult result =
      windows_.decode({.language = language_,
                       .prompt = prompt(),
                       .prefix = prefix_,
                       .place = static_cast<uint64_t>(place.seek),
                       .on_timestamp = [&](float seconds) {
                         const int in_window = frame_at(double{seconds});
                         tell_progress(place.seek + std::min(in_window, place.segment_size));
                       }});
  if (windows_.is_silence(result)) return place.seek + place.segment_size;
  prefix_.clear();

  WindowSegments window = split_segments(result, place, tokenizer_, model_.info().generation);
  end_with_window(window.segments, place);
  window.segments = windows_.cut(std::move(window.segments), spans(), place, language_);
  if (options_.word_timestamps) {
    windows_.add_words(window.segments, place, language_, last_speech_);
    const double offset = place.time_offset();
    const double word_end = last_word_end(window.segments, offset);
    if (!window.single_timestamp_ending && word_end > offset) {
      window.next_seek = frame_at(word_end);
    }
    if (options_.hallucination_silence_threshold) {
      const HallucinationCheck check = skip_hallucinations(
          window.segments, place, *options_.hallucination_silence_threshold, last_speech_,
          end_after(place, *options_.hallucination_silence_threshold),
          window.single_timestamp_ending, window.next_seek);
      window.next_seek = check.next_seek;
      if (check.decode_again) return window.next_seek;
    }
    last_speech_ = last_word_end(window.segments, last_speech_);
  }

  keep(std::move(window.segments));
  if (!options_.condition_on_previous_text ||
      result.temperature > options_.prompt_reset_on_temperature) {
    History& history = histories_[language_];
    history.reset_since = history.tokens.size();
  }
  return window.next_seek;
}

// The frame at which the recording ends, when it does so within so many seconds after the window.
int LongForm::end_after(const WindowPlace& place, double seconds) {
  const int64_t window_end = int64_t{place.seek + place.segment_size} * kHopLength;
  const double ahead = std::min<double>(seconds * kSampleRate, kLookAhead);
  (void)sound_.reaches(window_end + static_cast<int64_t>(ahead));
  return log_mel_.content_frames().value_or(kOpenEnd);
}

void LongForm::keep(std::vector<Segment> segments) {
  for (Segment& segment : segments) {
    if (!says_something(segment)) continue;
    if (!put_in_order(segment, limits_of(segment), last_end_)) continue;
    last_end_ = segment.end;
    segment.id = static_cast<int>(transcript_.segments.size());
    segment.language = language_;
    append(histories_[language_].tokens, segment.tokens);
    shrink(segment);
    transcript_.segments.push_back(std::move(segment));
    if (callbacks_.on_segment) callbacks_.on_segment(transcript_.segments.back());
  }
}

}  // namespace whisper_s4y
