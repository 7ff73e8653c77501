#include "vocabulary/suppress_tokens.h"

#include <algorithm>
#include <set>

#include "tokenizer/tokenizer.h"

namespace whisper_s4y {

std::vector<int> default_suppress_tokens(const GenerationConfig& g, const Vocabulary& vocabulary) {
  const std::vector<int> sounds = Tokenizer(vocabulary, g).non_speech_tokens();
  std::set<int> ids(sounds.begin(), sounds.end());
  for (const int id : {g.decoder_start_token_id, g.translate_token_id, g.transcribe_token_id,
                       g.sot_lm_token_id, g.prev_sot_token_id, g.no_speech_token_id}) {
    if (id >= 0) ids.insert(id);
  }
  return {ids.begin(), ids.end()};
}

std::vector<int> default_begin_suppress_tokens(const GenerationConfig& g,
                                               const Vocabulary& vocabulary) {
  std::vector<int> ids;
  const auto space = std::ranges::find(vocabulary.tokens, " ");
  if (space != vocabulary.tokens.end()) {
    ids.push_back(static_cast<int>(space - vocabulary.tokens.begin()));
  }
  if (g.eos_token_id >= 0) ids.push_back(g.eos_token_id);
  std::ranges::sort(ids);
  return ids;
}

}  // namespace whisper_s4y
