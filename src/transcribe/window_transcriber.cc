#include "transcribe/window_transcriber.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "decoding/text.h"
#include "transcribe/language_vote.h"
#include "transcribe/transcribe_options.h"
#include "transcribe/word_timestamps.h"

namespace whisper_s4y {
namespace {

DecodingOptions window_options(const TranscribeOptions& options) {
  DecodingOptions window;
  window.task = options.task;
  window.sample_len = options.sample_len;
  window.max_new_tokens = options.max_new_tokens;
  window.length_penalty = options.length_penalty;
  window.suppress_tokens = options.suppress_tokens;
  window.suppress_blank = options.suppress_blank;
  window.without_timestamps = options.without_timestamps;
  window.max_initial_timestamp = options.max_initial_timestamp;
  window.repetition_penalty = options.repetition_penalty;
  window.no_repeat_ngram_size = options.no_repeat_ngram_size;
  window.loop_guard = options.loop_guard;
  return window;
}

// What auto is: enough that no frame of sound misses its neighbours.
constexpr double kContext = 1.0;  // seconds

std::optional<double> context_of(const TranscribeOptions& options, const DecoderModel& model) {
  if (options.audio_context == "auto" && model.can_sample()) return kContext;
  return seconds_of_context(options);
}

}  // namespace

std::vector<int> encode_text(const Tokenizer& tokenizer, std::string_view text) {
  text = stripped(text);
  if (text.empty()) return {};
  return tokenizer.encode(" " + std::string(text));
}

size_t prompt_room(const ModelConfig& config) {
  return static_cast<size_t>(config.max_target_positions) / 2 - 1;
}

WindowTranscriber::WindowTranscriber(DecoderModel& model, const Tokenizer& tokenizer,
                                     const TranscribeOptions& options)
    : model_(model),
      tokenizer_(tokenizer),
      options_(options),
      context_(context_of(options, model)),
      decoder_(model, tokenizer),
      window_options_(window_options(options)),
      hotwords_(encode_text(tokenizer, options.hotwords)),
      window_mel_(static_cast<size_t>(model.info().config.num_mel_bins) * kWindowFrames) {}

std::vector<int> WindowTranscriber::prompt(std::span<const int> carried,
                                           std::span<const int> previous) const {
  const size_t budget = prompt_room(model_.info().config);
  std::vector<int> prompt(hotwords_.begin(), hotwords_.begin() + static_cast<ptrdiff_t>(std::min(
                                                                     hotwords_.size(), budget)));
  for (const std::span<const int> tokens : {carried, previous}) {
    const auto used = tokens.last(std::min(tokens.size(), budget - prompt.size()));
    prompt.insert(prompt.end(), used.begin(), used.end());
  }
  return prompt;
}

void WindowTranscriber::encode(LogMel& log_mel, const WindowPlace& place) {
  if (encoded_.seek == place.seek && encoded_.segment_size == place.segment_size) return;
  log_mel.padded_window(place.seek, place.segment_size, window_mel_);
  std::optional<WindowPositions> positions;
  if (context_) positions = sampled_positions(place.segment_size, *context_);
  decoder_.encode(window_mel_, positions);
  encoded_ = place;
  is_sampled_ = positions.has_value();
}

void WindowTranscriber::encode_with_silence(LogMel& log_mel, int begin) {
  log_mel.window(begin, window_mel_);
  decoder_.encode(window_mel_);
  encoded_ = {-1, 0};
  is_sampled_ = false;
}

LanguageProbs WindowTranscriber::language_probs() {
  return among(decoder_.language_probs(), options_.languages);
}

DecodingResult WindowTranscriber::decode(const WindowContext& context) {
  DecodingOptions options = window_options_;
  options.language = context.language;
  options.prompt = context.prompt;
  options.prefix = context.prefix;
  options.speech_until = context.speech_until;
  options.on_timestamp = context.on_timestamp;
  DecodingResult result;
  for (size_t i = 0; i < options_.temperatures.size();) {
    options.temperature = options_.temperatures[i];
    const bool sampling = options.temperature > 0;
    options.best_of = sampling ? options_.best_of : std::nullopt;
    options.beam_size = sampling ? std::nullopt : options_.beam_size;
    options.patience = sampling ? std::nullopt : options_.patience;
    // Every attempt has random numbers of its own, the same in every run.
    options.seed = options_.seed * 1000003 + context.place * 101 + i;
    result = decoder_.decode(options);

    const auto& most_compressed = options_.compression_ratio_threshold;
    const bool repetitive =
        most_compressed && (result.looped || result.compression_ratio > *most_compressed);
    const bool unsure =
        options_.logprob_threshold && result.avg_logprob < *options_.logprob_threshold;
    const bool endless = result.at_limit && !options_.sample_len && !options_.max_new_tokens;
    if (is_sampled_ && (repetitive || unsure || endless)) {
      decoder_.encode(window_mel_);
      is_sampled_ = false;
      continue;  // the same attempt
    }
    const bool silent = options_.no_speech_threshold &&
                        result.no_speech_prob > *options_.no_speech_threshold && unsure;
    if (silent || (!repetitive && !unsure)) break;
    ++i;
  }
  return result;
}

bool WindowTranscriber::is_silence(const DecodingResult& result) const {
  if (!options_.no_speech_threshold) return false;
  if (!(result.no_speech_prob > *options_.no_speech_threshold)) return false;
  return !(options_.logprob_threshold && result.avg_logprob > *options_.logprob_threshold);
}

void WindowTranscriber::add_words(std::vector<Segment>& segments, const WindowPlace& place,
                                  const std::string& language, double last_speech) {
  add_word_timestamps(segments, align(segments, place, language), place, last_speech,
                      model_.info().generation.eos_token_id, options_.prepend_punctuations,
                      options_.append_punctuations);
}

std::vector<WordTiming> WindowTranscriber::align(std::span<const Segment> segments,
                                                 const WindowPlace& place,
                                                 const std::string& language) {
  const GenerationConfig& generation = model_.info().generation;
  std::vector<int> text;
  for (const Segment& segment : segments) append_text(segment.tokens, generation, text);
  return find_alignment(model_, tokenizer_, sot_sequence(generation, language, options_.task), text,
                        language, place.segment_size);
}

std::vector<Segment> WindowTranscriber::cut(std::vector<Segment> segments, const SoundSpans& spans,
                                            const WindowPlace& place, const std::string& language) {
  const auto is_cut = [&](const Segment& segment) {
    return spans.reaches_over(segment.start, segment.end);
  };
  if (!model_.can_align() || std::ranges::none_of(segments, is_cut)) return segments;
  const std::vector<WordTiming> alignment = align(segments, place, language);
  const GenerationConfig& generation = model_.info().generation;
  std::vector<Segment> result;
  std::span<const WordTiming> words(alignment);
  for (Segment& segment : segments) {
    std::vector<int> text;
    append_text(segment.tokens, generation, text);
    size_t count = 0;
    for (size_t tokens = 0; count < words.size() && tokens < text.size(); ++count) {
      tokens += words[count].tokens.size();
    }
    if (is_cut(segment)) {
      cut_segment(segment, words.first(count), place, spans, tokenizer_, generation, result);
    } else {
      result.push_back(std::move(segment));
    }
    words = words.subspan(count);
  }
  return result;
}

}  // namespace whisper_s4y
