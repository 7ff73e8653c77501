#include "verify/compare_models.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "common/fail.h"
#include "common/parse_json.h"
#include "decoding/window_decoder.h"
#include "tflite/metadata_names.h"
#include "tokenizer/tokenizer.h"

namespace whisper_s4y {
namespace {

/// Gathers differences piece by piece.
class DifferenceMeter {
 public:
  void add(std::span<const float> numbers, std::span<const float> reference, bool less_mean) {
    const double shift = less_mean ? mean(numbers) : 0;
    const double reference_shift = less_mean ? mean(reference) : 0;
    for (size_t i = 0; i < reference.size(); ++i) {
      const double expected = reference[i] - reference_shift;
      const double difference = std::abs(numbers[i] - shift - expected);
      squares_ += difference * difference;
      reference_squares_ += expected * expected;
      // A comparison with NaN is false: the largest must become NaN too.
      if (!(difference <= largest_)) largest_ = difference;
    }
  }
  [[nodiscard]] Difference result() const {
    if (squares_ == 0) return {};
    return {.relative = std::sqrt(squares_ / reference_squares_), .largest = largest_};
  }

 private:
  static double mean(std::span<const float> numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), 0.0) /
           static_cast<double>(numbers.size());
  }

  double squares_ = 0;
  double reference_squares_ = 0;
  double largest_ = 0;
};

void check_same_shape(const ModelInfo& model, const ModelInfo& reference) {
  const ModelConfig& a = model.config;
  const ModelConfig& b = reference.config;
  if (a.num_mel_bins == b.num_mel_bins && a.d_model == b.d_model && a.vocab_size == b.vocab_size &&
      a.max_source_positions == b.max_source_positions &&
      a.max_target_positions == b.max_target_positions) {
    return;
  }
  fail(
      "{} (d_model {}, {} mel bins, {} tokens) cannot be compared with {} (d_model {}, {} mel "
      "bins, "
      "{} tokens).",
      model.name, a.d_model, a.num_mel_bins, a.vocab_size, reference.name, b.d_model,
      b.num_mel_bins, b.vocab_size);
}

/// Feeds the same tokens to both.
Difference compare_logits(WhisperModel& model, WhisperModel& reference,
                          std::span<const int> tokens) {
  DifferenceMeter meter;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto token = tokens.subspan(i, 1);
    const auto position = static_cast<int>(i);
    meter.add(model.decode(token, position), reference.decode(token, position), true);
  }
  return meter.result();
}

}  // namespace

Difference difference_of(std::span<const float> numbers, std::span<const float> reference) {
  DifferenceMeter meter;
  meter.add(numbers, reference, false);
  return meter.result();
}

Bounds default_bounds(const TfliteFile& file) {
  const std::string source = file.path().string();
  const auto metadata = parse_json<nlohmann::json>(file.metadata(kModelMetadata), source);
  if (!metadata.contains("quantization")) {
    fail("{}: the metadata \"{}\" does not say how weights are stored.", source, kModelMetadata);
  }
  const std::string formats = metadata["quantization"].dump();
  const auto uses = [&](std::string_view format) {
    return formats.find(fmt::format("\"{}\"", format)) != std::string::npos;
  };
  constexpr double kMel = 1e-4;  // the front end is float32 in every file
  if (uses("int4")) return {.mel = kMel, .encoder = 0.6, .logits = 0.6};
  if (uses("int8")) return {.mel = kMel, .encoder = 0.2, .logits = 0.2};
  if (uses("fp16")) return {.mel = kMel, .encoder = 0.01, .logits = 0.01};
  return {.mel = kMel, .encoder = 0.001, .logits = 0.001};
}

WindowComparison compare_models(WhisperModel& model, WhisperModel& reference,
                                std::span<const float> normalized_audio, int max_tokens) {
  const ModelInfo& info = reference.info();
  check_same_shape(model.info(), info);
  const auto bins = static_cast<size_t>(info.config.num_mel_bins);
  std::vector<float> mel(bins * 2 * static_cast<size_t>(info.config.max_source_positions));
  std::vector<float> reference_mel(mel.size());
  model.features(normalized_audio, mel);
  reference.features(normalized_audio, reference_mel);
  WindowComparison result;
  result.mel = difference_of(mel, reference_mel);

  model.encode(mel);
  reference.encode(reference_mel);
  result.encoder = difference_of(model.last_hidden_state(), reference.last_hidden_state());

  const Tokenizer tokenizer(info.vocabulary, info.generation);
  DecodingOptions options;
  options.without_timestamps = true;
  options.sample_len = max_tokens;
  options.suppress_tokens = info.generation.suppress_tokens;
  if (info.generation.is_multilingual) {
    options.language = most_likely(detect_language(reference)).first;
  }
  const DecodingResult expected = decode_window(reference, tokenizer, options);
  const DecodingResult got = decode_window(model, tokenizer, options);
  result.tokens = got.tokens;
  result.reference_tokens = expected.tokens;
  result.text = got.text;
  result.reference_text = expected.text;
  const auto [one, other] = std::ranges::mismatch(got.tokens, expected.tokens);
  if (one != got.tokens.end() || other != expected.tokens.end()) {
    result.first_difference = static_cast<int>(one - got.tokens.begin());
  }

  std::vector<int> row =
      sot_sequence(info.generation, options.language.value_or("en"), "transcribe");
  row.push_back(info.generation.no_timestamps_token_id);
  row.insert(row.end(), expected.tokens.begin(), expected.tokens.end());
  result.logits = compare_logits(model, reference, row);
  return result;
}

}  // namespace whisper_s4y
