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

void append(std::vector<int>& to, std::span<const int> tokens) {
  to.insert(to.end(), tokens.begin(), tokens.end());
}

}  // namespace

LongForm::LongForm(DecoderModel& model, const Tokenizer& tokenizer, std::span<const float> audio,
                   const TranscribeOptions& options, const TranscribeCallbacks& callbacks,
                   DetectorSource detector, std::span<const LanguageStretch> stretches,
                   std::optional<SoundSpans> speech)
    : model_(model),
      tokenizer_(tokenizer),
      options_(options),
      callbacks_(callbacks),
      detector_(std::move(detector)),
      audio_(audio),
      stretches_(stretches),
      duration_(static_cast<double>(audio.size()) / kSampleRate),
      log_mel_(model, audio),
      windows_(model, tokenizer, options),
      clips_(clips_of(options.clip_timestamps, log_mel_.content_frames())),
      is_joined_speech_(speech.has_value()),
      spans_(speech ? *std::move(speech) : SoundSpans(log_mel_.audible_spans(kLongSilence))),
      initial_prompt_(encode_text(tokenizer, options.initial_prompt)),
      prefix_(encode_text(tokenizer, options.prefix)) {}

Transcript LongForm::run() {
  transcript_.duration = duration_;
  if (options_.language) {
    transcript_.language = *options_.language;
    transcript_.language_probability = 1.0F;
  } else if (!model_.info().generation.is_multilingual) {
    transcript_.language = "en";
    transcript_.language_probability = 1.0F;
  } else if (!stretches_.empty()) {
    transcript_.language = stretches_.front().language;
    transcript_.language_probability = stretches_.front().probability;
  } else {
    detect_language();
  }

  for (const Clip& clip : clips_) {
    if (stretches_.empty()) {
      speak(transcript_.language);
      walk(clip);
    }
    for (const LanguageStretch& stretch : stretches_) {
      const Clip part = {std::max(clip.begin, static_cast<int>(stretch.start / kHopLength)),
                         std::min(clip.end, static_cast<int>(stretch.end / kHopLength))};
      if (part.begin >= part.end) continue;
      speak(stretch.language);
      walk(part);
    }
  }

  transcript_.text = text_of(transcript_.segments, tokenizer_, model_.info().generation);
  return std::move(transcript_);
}

void LongForm::walk(const Clip& clip) {
  for (int seek = clip.begin; seek < clip.end;) {
    if (callbacks_.cancelled && callbacks_.cancelled()) return;
    seek = next_sound(seek);
    if (seek >= clip.end || is_empty_rest(clip, seek)) return;
    const WindowPlace place{seek, std::min(kWindowFrames, clip.end - seek)};
    const int next = transcribe_window(place);
    // Whatever the model says, the walk goes on.
    seek = next > seek ? next : seek + place.segment_size;
    if (callbacks_.on_progress) {
      const int done = std::min(seek, log_mel_.content_frames());
      callbacks_.on_progress(done / kFramesPerSecond, duration_);
    }
  }
}

// Where the window begins: long silence before its sound is left out.
int LongForm::next_sound(int seek) const {
  if (is_joined_speech_) return seek;
  const double now = seek / kFramesPerSecond;
  for (size_t i = 0; i < spans_.size(); ++i) {
    if (spans_[i].end <= now) continue;
    const int sound = frame_at(spans_[i].begin);
    return sound - seek < kLongSilence ? seek : sound - kLeadIn;
  }
  return seek;
}

// Whether nobody speaks in the little that is left after other windows: the model would make up a
// farewell.
bool LongForm::is_empty_rest(const Clip& clip, int seek) const {
  if (!detector_ || seek == clip.begin || clip.end - seek >= kShortRest) return false;
  const int begin = std::max(clip.begin, seek - kBeforeRest);
  const auto samples = audio_.subspan(static_cast<size_t>(begin) * kHopLength);
  const auto length = static_cast<size_t>(clip.end - begin) * kHopLength;
  const std::vector<float> probs =
      detector_().speech_probs(samples.first(std::min(samples.size(), length)));
  const auto first = static_cast<size_t>(seek - begin) * kHopLength / kVadChunk;
  return std::all_of(probs.begin() + static_cast<ptrdiff_t>(std::min(first, probs.size())),
                     probs.end(), [](float prob) { return prob < kMaybeSpeech; });
}

SoundSpan LongForm::limits_of(const Segment& segment) const {
  if (spans_.size() > 0) {
    const SoundSpan& main = spans_[spans_.main(segment.start, segment.end)];
    if (is_joined_speech_ || (main.begin < segment.end && segment.start < main.end)) return main;
  }
  return {0.0, log_mel_.content_frames() / kFramesPerSecond};
}

void LongForm::detect_language() {
  const int content_frames = log_mel_.content_frames();
  SpeechWindows speech(detector_, audio_, clips_);
  LanguageVote vote(options_.language_detection_threshold);
  for (int i = 0; i < options_.language_detection_segments; ++i) {
    const std::optional<int> begin = speech.next();
    if (!begin) break;
    if (*begin + kWindowFrames <= content_frames) {
      windows_.encode(log_mel_, {*begin, kWindowFrames});
    } else {
      windows_.encode_with_silence(log_mel_, *begin);
    }
    if (vote.decides(windows_.language_probs())) break;
  }
  std::tie(transcript_.language, transcript_.language_probability) = most_likely(vote.probs());
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
  const DecodingResult result = windows_.decode({.language = language_,
                                                 .prompt = prompt(),
                                                 .prefix = prefix_,
                                                 .place = static_cast<uint64_t>(place.seek)});
  if (windows_.is_silence(result)) return place.seek + place.segment_size;
  prefix_.clear();

  WindowSegments window = split_segments(result, place, tokenizer_, model_.info().generation);
  end_with_window(window.segments, place);
  window.segments = windows_.cut(std::move(window.segments), spans_, place, language_);
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
          log_mel_.content_frames(), window.single_timestamp_ending, window.next_seek);
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

void LongForm::keep(std::vector<Segment> segments) {
  for (Segment& segment : segments) {
    if (!says_something(segment)) continue;
    if (!put_in_order(segment, limits_of(segment), last_end_)) continue;
    last_end_ = segment.end;
    segment.id = static_cast<int>(transcript_.segments.size());
    segment.language = language_;
    append(histories_[language_].tokens, segment.tokens);
    transcript_.segments.push_back(std::move(segment));
    if (callbacks_.on_segment) callbacks_.on_segment(transcript_.segments.back());
  }
}

}  // namespace whisper_s4y
