#include "transcribe/long_form.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include "decoding/text.h"
#include "decoding/word_timing.h"
#include "transcribe/hallucination.h"
#include "transcribe/word_timestamps.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

void check(const TranscribeOptions& options, DecoderModel& model) {
  const ModelInfo& info = model.info();
  if (options.temperatures.empty()) fail("At least one temperature is needed.");
  if (options.multilingual && !info.generation.is_multilingual) {
    fail("{} is an English-only model; it cannot detect the language of every window.", info.name);
  }
  if (options.multilingual && options.language) {
    fail("Detecting the language of every window and giving the language exclude each other.");
  }
  if (options.language_detection_segments < 1) {
    fail("language_detection_segments must be 1 or more, not {}.",
         options.language_detection_segments);
  }
  if (options.hallucination_silence_threshold) {
    if (!options.word_timestamps) {
      fail("hallucination_silence_threshold needs word timestamps.");
    }
    if (!(*options.hallucination_silence_threshold >= 0)) {
      fail("hallucination_silence_threshold must be 0 or more seconds, not {}.",
           *options.hallucination_silence_threshold);
    }
  }
  if (options.word_timestamps && !model.can_align()) {
    fail("{} was converted without the align part, which word timestamps need; convert it again.",
         info.name);
  }
  if (options.carry_initial_prompt && stripped(options.initial_prompt).empty()) {
    fail("carry_initial_prompt needs an initial_prompt.");
  }
  if (!stripped(options.hotwords).empty() && !stripped(options.prefix).empty()) {
    fail("hotwords and prefix cannot be given together.");
  }
}

DecodingOptions window_options(const TranscribeOptions& options) {
  DecodingOptions window;
  window.task = options.task;
  window.language = options.language;
  window.sample_len = options.sample_len;
  window.max_new_tokens = options.max_new_tokens;
  window.best_of = options.best_of;
  window.beam_size = options.beam_size;
  window.patience = options.patience;
  window.length_penalty = options.length_penalty;
  window.suppress_tokens = options.suppress_tokens;
  window.suppress_blank = options.suppress_blank;
  window.without_timestamps = options.without_timestamps;
  window.max_initial_timestamp = options.max_initial_timestamp;
  window.repetition_penalty = options.repetition_penalty;
  window.no_repeat_ngram_size = options.no_repeat_ngram_size;
  return window;
}

// The last `count` of `tokens`, or all.
std::span<const int> last(std::span<const int> tokens, size_t count) {
  return tokens.last(std::min(count, tokens.size()));
}

void append(std::vector<int>& to, std::span<const int> tokens) {
  to.insert(to.end(), tokens.begin(), tokens.end());
}

std::vector<int> encode_text(const Tokenizer& tokenizer, std::string_view text) {
  text = stripped(text);
  if (text.empty()) return {};
  return tokenizer.encode(" " + std::string(text));
}

}  // namespace

LongForm::LongForm(DecoderModel& model, const Tokenizer& tokenizer, std::span<const float> audio,
                   const TranscribeOptions& options, const TranscribeCallbacks& callbacks)
    : model_(model),
      tokenizer_(tokenizer),
      options_(options),
      callbacks_(callbacks),
      duration_(static_cast<double>(audio.size()) / kSampleRate),
      log_mel_((check(options, model), model), audio),
      decoder_(model, tokenizer),
      window_options_(window_options(options)),
      window_mel_(static_cast<size_t>(model.info().config.num_mel_bins) * kWindowFrames),
      initial_prompt_(encode_text(tokenizer, options.initial_prompt)),
      hotwords_(encode_text(tokenizer, options.hotwords)),
      prefix_(encode_text(tokenizer, options.prefix)),
      history_(initial_prompt_) {
  const int content_frames = log_mel_.content_frames();
  std::vector<int> points;
  for (const double seconds : options.clip_timestamps) {
    if (!(seconds >= 0) || seconds > 1e7) {
      fail("clip_timestamps are seconds from the beginning of the recording, not {}.", seconds);
    }
    points.push_back(static_cast<int>(std::nearbyint(seconds * kFramesPerSecond)));
  }
  if (points.empty()) points.push_back(0);
  if (points.size() % 2 == 1) points.push_back(std::max(content_frames, points.back()));
  for (size_t i = 0; i < points.size(); i += 2) {
    if (points[i + 1] < points[i]) {
      fail("A clip ends at {} s, before it begins at {} s.", points[i + 1] / kFramesPerSecond,
           points[i] / kFramesPerSecond);
    }
    clips_.push_back({points[i], std::min(points[i + 1], content_frames)});
  }
}

Transcript LongForm::run() {
  transcript_.duration = duration_;
  if (window_options_.language) {
    transcript_.language = *window_options_.language;
    transcript_.language_probability = 1.0F;
  } else if (!model_.info().generation.is_multilingual) {
    transcript_.language = "en";
    transcript_.language_probability = 1.0F;
  } else {
    detect_language();
  }
  window_options_.language = transcript_.language;

  for (const Clip& clip : clips_) walk(clip);

  std::vector<int> text;
  for (size_t i = initial_prompt_.size(); i < history_.size(); ++i) {
    if (history_[i] < model_.info().generation.eos_token_id) text.push_back(history_[i]);
  }
  transcript_.text = tokenizer_.decode(text);
  return std::move(transcript_);
}

void LongForm::walk(const Clip& clip) {
  for (int seek = clip.begin; seek < clip.end;) {
    if (callbacks_.cancelled && callbacks_.cancelled()) return;
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

void LongForm::encode(int begin, int size) {
  if (encoded_.seek == begin && encoded_.segment_size == size) return;
  log_mel_.padded_window(begin, size, window_mel_);
  decoder_.encode(window_mel_);
  encoded_ = {begin, size};
}

void LongForm::detect_language() {
  const int content_frames = log_mel_.content_frames();
  const int first = clips_.front().begin < content_frames ? clips_.front().begin : 0;
  std::map<std::string, int> votes;
  for (int i = 0; i < options_.language_detection_segments; ++i) {
    const int begin = first + i * kWindowFrames;
    if (i > 0 && begin >= content_frames) break;
    if (begin + kWindowFrames <= content_frames) {
      encode(begin, kWindowFrames);
    } else {
      log_mel_.window(begin, window_mel_);
      decoder_.encode(window_mel_);
      encoded_ = {-1, 0};
    }
    const auto& [language, probability] = most_likely(decoder_.language_probs());
    if (probability > options_.language_detection_threshold) {
      transcript_.language = language;
      transcript_.language_probability = probability;
      return;
    }
    // No window is sure: the language most windows voted for, the earlier one among equals.
    const int count = ++votes[language];
    if (transcript_.language == language) {
      transcript_.language_probability = std::max(transcript_.language_probability, probability);
    } else if (transcript_.language.empty() || count > votes[transcript_.language]) {
      transcript_.language = language;
      transcript_.language_probability = probability;
    }
  }
}

std::vector<int> LongForm::prompt() const {
  // Half the context is for the prompt, less one for <|startofprev|>.
  const auto budget = static_cast<size_t>(model_.info().config.max_target_positions) / 2 - 1;
  std::vector<int> prompt;
  append(prompt, std::span(hotwords_).first(std::min(hotwords_.size(), budget)));
  std::span<const int> previous = std::span(history_).subspan(prompt_reset_since_);
  if (options_.carry_initial_prompt) {
    append(prompt, last(initial_prompt_, budget - prompt.size()));
    previous = std::span(history_).subspan(std::max(initial_prompt_.size(), prompt_reset_since_));
  }
  append(prompt, last(previous, budget - prompt.size()));
  return prompt;
}

DecodingResult LongForm::decode_with_fallback(const WindowPlace& place) {
  DecodingOptions options = window_options_;
  options.prompt = prompt();
  options.prefix = prefix_;
  DecodingResult result;
  for (size_t i = 0; i < options_.temperatures.size(); ++i) {
    options.temperature = options_.temperatures[i];
    const bool sampling = options.temperature > 0;
    options.best_of = sampling ? options_.best_of : std::nullopt;
    options.beam_size = sampling ? std::nullopt : options_.beam_size;
    options.patience = sampling ? std::nullopt : options_.patience;
    // Every attempt has random numbers of its own, the same in every run.
    options.seed = options_.seed * 1000003 + static_cast<uint64_t>(place.seek) * 101 + i;
    result = decoder_.decode(options);

    const bool repetitive = options_.compression_ratio_threshold &&
                            result.compression_ratio > *options_.compression_ratio_threshold;
    const bool unsure =
        options_.logprob_threshold && result.avg_logprob < *options_.logprob_threshold;
    const bool silent = options_.no_speech_threshold &&
                        result.no_speech_prob > *options_.no_speech_threshold && unsure;
    if (silent || (!repetitive && !unsure)) break;
  }
  return result;
}

bool LongForm::is_silence(const DecodingResult& result) const {
  if (!options_.no_speech_threshold) return false;
  if (!(result.no_speech_prob > *options_.no_speech_threshold)) return false;
  return !(options_.logprob_threshold && result.avg_logprob > *options_.logprob_threshold);
}

// Returns where the next window begins.
int LongForm::transcribe_window(const WindowPlace& place) {
  encode(place.seek, place.segment_size);
  if (options_.multilingual) {
    window_options_.language = most_likely(decoder_.language_probs()).first;
  }
  const DecodingResult result = decode_with_fallback(place);
  if (is_silence(result)) return place.seek + place.segment_size;
  prefix_.clear();

  const GenerationConfig& generation = model_.info().generation;
  WindowSegments window = split_segments(result, place, tokenizer_, generation);
  if (options_.word_timestamps) {
    std::vector<int> text;
    for (const Segment& segment : window.segments) {
      std::copy_if(segment.tokens.begin(), segment.tokens.end(), std::back_inserter(text),
                   [&](int token) { return token < generation.eos_token_id; });
    }
    const std::string& language = *window_options_.language;
    auto alignment =
        find_alignment(model_, tokenizer_, sot_sequence(generation, language, options_.task), text,
                       language, place.segment_size);
    add_word_timestamps(window.segments, std::move(alignment), place, last_speech_,
                        generation.eos_token_id, options_.prepend_punctuations,
                        options_.append_punctuations);
    const double offset = place.time_offset();
    const double word_end = last_word_end(window.segments, offset);
    if (!window.single_timestamp_ending && word_end > offset) {
      window.next_seek = static_cast<int>(std::nearbyint(word_end * kFramesPerSecond));
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
    prompt_reset_since_ = history_.size();
  }
  return window.next_seek;
}

void LongForm::keep(std::vector<Segment> segments) {
  for (Segment& segment : segments) {
    // The reference keeps such segments without text; an empty cue helps nobody.
    if (segment.start == segment.end || stripped(segment.text).empty()) continue;
    segment.id = static_cast<int>(transcript_.segments.size());
    append(history_, segment.tokens);
    transcript_.segments.push_back(std::move(segment));
    if (callbacks_.on_segment) callbacks_.on_segment(transcript_.segments.back());
  }
}

}  // namespace whisper_s4y
