#include "config/model_info.h"

#include <algorithm>
#include <tuple>

#include "common/fail.h"

namespace whisper_s4y {
namespace {

// Far above every published model, far below what would overflow an offset.
constexpr int kMaxVocabulary = 1 << 20;
constexpr int kMaxWidth = 1 << 15;
constexpr int kMaxLayers = 512;
constexpr int kMaxPositions = 1 << 16;
constexpr int kMaxMelBins = 512;

void check_range(std::string_view source, std::string_view field, int value, int limit) {
  if (value < 1 || value > limit) {
    fail("{}: {} is {}, expected 1 to {}.", source, field, value, limit);
  }
}

void check_heads(std::string_view source, std::string_view field, int d_model, int heads) {
  check_range(source, field, heads, d_model);
  if (d_model % heads != 0) {
    fail("{}: d_model {} is not a multiple of {} {}.", source, d_model, field, heads);
  }
}

void check_id(std::string_view source, std::string_view field, int id, int vocab_size,
              bool required) {
  if (id == -1 && !required) return;
  if (id < 0 || id >= vocab_size) {
    fail("{}: {} is {}, expected a token id below vocab_size {}.", source, field, id, vocab_size);
  }
}

void check_generation(const ModelInfo& info, std::string_view source) {
  const GenerationConfig& g = info.generation;
  const int size = info.config.vocab_size;
  check_id(source, "eos_token_id", g.eos_token_id, size, true);
  check_id(source, "decoder_start_token_id", g.decoder_start_token_id, size, true);
  check_id(source, "no_timestamps_token_id", g.no_timestamps_token_id, size, true);
  check_id(source, "transcribe_token_id", g.transcribe_token_id, size, g.is_multilingual);
  check_id(source, "translate_token_id", g.translate_token_id, size, false);
  check_id(source, "sot_lm_token_id", g.sot_lm_token_id, size, false);
  check_id(source, "prev_sot_token_id", g.prev_sot_token_id, size, false);
  check_id(source, "no_speech_token_id", g.no_speech_token_id, size, false);
  for (const int id : g.suppress_tokens) check_id(source, "suppress_tokens", id, size, true);
  for (const int id : g.begin_suppress_tokens) {
    check_id(source, "begin_suppress_tokens", id, size, true);
  }
  if (g.is_multilingual && g.lang_to_id.empty()) {
    fail("{}: the model is multilingual but has no language tokens.", source);
  }
  for (const auto& [code, id] : g.lang_to_id) {
    if (code.empty()) fail("{}: lang_to_id has an empty language code.", source);
    check_id(source, "lang_to_id", id, size, true);
  }
  if (g.max_initial_timestamp_index < 0) {
    fail("{}: max_initial_timestamp_index is {}, expected 0 or more.", source,
         g.max_initial_timestamp_index);
  }
  for (const auto& [layer, head] : g.alignment_heads) {
    if (layer < 0 || layer >= info.config.decoder_layers || head < 0 ||
        head >= info.config.decoder_attention_heads) {
      fail("{}: alignment head ({}, {}) is outside {} decoder layers of {} heads.", source, layer,
           head, info.config.decoder_layers, info.config.decoder_attention_heads);
    }
  }
}

void check_vocabulary(const ModelInfo& info, std::string_view source) {
  const Vocabulary& v = info.vocabulary;
  const auto size = static_cast<size_t>(info.config.vocab_size);
  if (v.tokens.size() != size || v.special.size() != size || v.ranks.size() != size) {
    fail("{}: the vocabulary has {} tokens, vocab_size is {}.", source, v.tokens.size(), size);
  }
}

}  // namespace

bool ModelConfig::operator==(const ModelConfig& other) const {
  const auto fields = [](const ModelConfig& c) {
    const auto& [vocab_size, num_mel_bins, d_model, encoder_layers, encoder_heads, encoder_ffn_dim,
                 decoder_layers, decoder_heads, decoder_ffn_dim, source_positions,
                 target_positions] = c;
    return std::tie(vocab_size, num_mel_bins, d_model, encoder_layers, encoder_heads,
                    encoder_ffn_dim, decoder_layers, decoder_heads, decoder_ffn_dim,
                    source_positions, target_positions);
  };
  return fields(*this) == fields(other);
}

bool GenerationConfig::operator==(const GenerationConfig& other) const {
  const auto fields = [](const GenerationConfig& c) {
    const auto& [multilingual, eos, start, translate, transcribe, sot_lm, prev_sot, no_speech,
                 no_timestamps, max_initial_timestamp, languages, suppress, begin_suppress,
                 alignment_heads] = c;
    return std::tie(multilingual, eos, start, translate, transcribe, sot_lm, prev_sot, no_speech,
                    no_timestamps, max_initial_timestamp, languages, suppress, begin_suppress,
                    alignment_heads);
  };
  return fields(*this) == fields(other);
}

int GenerationConfig::language_token(std::string_view code) const {
  const auto found = std::ranges::find(lang_to_id, code, &std::pair<std::string, int>::first);
  return found == lang_to_id.end() ? -1 : found->second;
}

std::string_view GenerationConfig::language_of_token(int id) const {
  const auto found = std::ranges::find(lang_to_id, id, &std::pair<std::string, int>::second);
  return found == lang_to_id.end() ? std::string_view() : std::string_view(found->first);
}

void validate_dimensions(const ModelConfig& c, std::string_view source) {
  check_range(source, "vocab_size", c.vocab_size, kMaxVocabulary);
  check_range(source, "num_mel_bins", c.num_mel_bins, kMaxMelBins);
  check_range(source, "d_model", c.d_model, kMaxWidth);
  check_range(source, "encoder_layers", c.encoder_layers, kMaxLayers);
  check_range(source, "encoder_ffn_dim", c.encoder_ffn_dim, 8 * kMaxWidth);
  check_range(source, "decoder_layers", c.decoder_layers, kMaxLayers);
  check_range(source, "decoder_ffn_dim", c.decoder_ffn_dim, 8 * kMaxWidth);
  check_range(source, "max_source_positions", c.max_source_positions, kMaxPositions);
  check_range(source, "max_target_positions", c.max_target_positions, kMaxPositions);
  check_heads(source, "encoder_attention_heads", c.d_model, c.encoder_attention_heads);
  check_heads(source, "decoder_attention_heads", c.d_model, c.decoder_attention_heads);
}

void validate(const ModelInfo& info, std::string_view source) {
  validate_dimensions(info.config, source);
  check_generation(info, source);
  check_vocabulary(info, source);
}

}  // namespace whisper_s4y
