#include <limits>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/utf8.h"
#include "normalizer/unicode.h"
#include "whisper_s4y/evaluate.h"

namespace whisper_s4y {
namespace {

// Levenshtein's distance, with the kinds of the changes counted along: two rows, so that hours of
// speech fit into memory. Of equally good changes a substitution is preferred.
template <typename Item>
ErrorCounts count_errors(const std::vector<Item>& reference, const std::vector<Item>& hypothesis) {
  std::vector<ErrorCounts> row(hypothesis.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j].insertions = j;
  for (size_t i = 1; i <= reference.size(); ++i) {
    ErrorCounts diagonal = row[0];
    row[0].deletions = i;
    for (size_t j = 1; j <= hypothesis.size(); ++j) {
      ErrorCounts best = diagonal;
      diagonal = row[j];
      best.substitutions += reference[i - 1] == hypothesis[j - 1] ? 0 : 1;
      if (row[j].errors() + 1 < best.errors()) {
        best = row[j];
        ++best.deletions;
      }
      if (row[j - 1].errors() + 1 < best.errors()) {
        best = row[j - 1];
        ++best.insertions;
      }
      row[j] = best;
    }
  }
  ErrorCounts counts = row.back();
  counts.reference = reference.size();
  return counts;
}

std::vector<char32_t> characters(std::string_view text) {
  std::vector<char32_t> out;
  for (const char32_t code : code_points(text)) {
    if (!is_python_space(code)) out.push_back(code);
  }
  return out;
}

// Words as numbers: comparing them is most of the work.
class Numbering {
 public:
  std::vector<size_t> numbers(std::string_view text) {
    std::vector<size_t> out;
    for (std::string& word : split_words(code_points(text))) {
      out.push_back(ids_.try_emplace(std::move(word), ids_.size()).first->second);
    }
    return out;
  }

 private:
  std::unordered_map<std::string, size_t> ids_;
};

}  // namespace

double ErrorCounts::rate() const {
  if (errors() == 0) return 0;
  if (reference == 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(errors()) / static_cast<double>(reference);
}

ErrorCounts& ErrorCounts::operator+=(const ErrorCounts& other) {
  substitutions += other.substitutions;
  deletions += other.deletions;
  insertions += other.insertions;
  reference += other.reference;
  return *this;
}

bool ErrorCounts::operator==(const ErrorCounts& other) const {
  return substitutions == other.substitutions && deletions == other.deletions &&
         insertions == other.insertions && reference == other.reference;
}

ErrorCounts word_errors(std::string_view reference, std::string_view hypothesis) {
  Numbering words;
  const auto expected = words.numbers(reference);
  return count_errors(expected, words.numbers(hypothesis));
}

ErrorCounts character_errors(std::string_view reference, std::string_view hypothesis) {
  return count_errors(characters(reference), characters(hypothesis));
}

}  // namespace whisper_s4y
