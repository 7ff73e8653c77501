#include "decoding/word_timing.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "decoding/alignment.h"
#include "decoding/text.h"

namespace whisper_s4y {
namespace {

constexpr double kPositionsPerSecond = 50.0;
constexpr int kFramesPerPosition = 2;

}  // namespace

std::vector<WordTiming> find_alignment(DecoderModel& model, const Tokenizer& tokenizer,
                                       std::span<const int> sot_sequence,
                                       std::span<const int> text_tokens, std::string_view language,
                                       int num_frames) {
  const ModelInfo& info = model.info();
  const int positions = std::min(num_frames / kFramesPerPosition, info.config.max_source_positions);
  if (text_tokens.empty() || positions < 1) return {};
  // The decoder reads no more; words after that get no times.
  const auto room = static_cast<size_t>(info.config.max_target_positions) - sot_sequence.size() - 2;
  text_tokens = text_tokens.first(std::min(text_tokens.size(), room));

  std::vector<int> tokens(sot_sequence.begin(), sot_sequence.end());
  tokens.push_back(info.generation.no_timestamps_token_id);
  tokens.insert(tokens.end(), text_tokens.begin(), text_tokens.end());
  tokens.push_back(info.generation.eos_token_id);
  const AlignmentScores scores = model.align(tokens);

  const auto words = tokenizer.split_to_word_tokens(text_tokens, language);
  if (words.empty()) return {};

  // The row of a token's prediction is the one before its own: it begins with <|notimestamps|>.
  const size_t first_row = sot_sequence.size();
  const int rows = static_cast<int>(text_tokens.size()) + 1;
  auto matrix = alignment_matrix(scores, static_cast<int>(tokens.size()), positions);
  for (float& value : matrix) value = -value;
  const auto path = dynamic_time_warping(
      std::span(matrix).subspan(first_row * static_cast<size_t>(positions),
                                static_cast<size_t>(rows) * static_cast<size_t>(positions)),
      rows, positions);
  // When the path reaches each row for the first time.
  std::vector<double> row_times;
  for (size_t i = 0; i < path.text_indices.size(); ++i) {
    if (i == 0 || path.text_indices[i] != path.text_indices[i - 1]) {
      row_times.push_back(path.time_indices[i] / kPositionsPerSecond);
    }
  }

  std::vector<WordTiming> result;
  size_t begin = 0;
  for (const auto& word : words) {
    const size_t end = begin + word.tokens.size();
    double probability = 0;
    for (size_t i = begin; i < end; ++i) {
      probability += scores.next_token_probs[first_row + i];
    }
    result.push_back({word.text, word.tokens, row_times[begin], row_times[end],
                      probability / static_cast<double>(word.tokens.size())});
    begin = end;
  }
  return result;
}

void merge_punctuations(std::vector<WordTiming>& alignment, std::string_view prepended,
                        std::string_view appended) {
  if (alignment.size() < 2) return;
  const auto join = [](WordTiming& first, WordTiming& second, WordTiming& into) {
    std::string word = first.word + second.word;
    std::vector<int> tokens = first.tokens;
    tokens.insert(tokens.end(), second.tokens.begin(), second.tokens.end());
    WordTiming& emptied = &into == &first ? second : first;
    emptied.word.clear();
    emptied.tokens.clear();
    into.word = std::move(word);
    into.tokens = std::move(tokens);
  };

  size_t following = alignment.size() - 1;
  for (size_t previous = following; previous-- > 0;) {
    WordTiming& word = alignment[previous];
    if (word.word.starts_with(' ') &&
        prepended.find(stripped(word.word)) != std::string_view::npos) {
      join(word, alignment[following], alignment[following]);
    } else {
      following = previous;
    }
  }

  size_t previous = 0;
  for (size_t next = 1; next < alignment.size(); ++next) {
    WordTiming& word = alignment[next];
    if (!alignment[previous].word.ends_with(' ') &&
        appended.find(word.word) != std::string_view::npos) {
      join(alignment[previous], word, alignment[previous]);
    } else {
      previous = next;
    }
  }
}

}  // namespace whisper_s4y
