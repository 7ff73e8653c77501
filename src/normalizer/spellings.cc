#include "normalizer/spellings.h"

#include <unordered_map>

namespace whisper_s4y {
namespace {

using Spellings = std::unordered_map<std::string_view, std::string_view>;

Spellings read_list() {
  Spellings spellings;
  std::string_view list = spelling_list();
  while (!list.empty()) {
    const size_t end = list.find('\n');
    const std::string_view line = list.substr(0, end);
    const size_t space = line.find(' ');
    spellings.emplace(line.substr(0, space), line.substr(space + 1));
    list.remove_prefix(end + 1);
  }
  return spellings;
}

}  // namespace

std::string_view american_spelling(std::string_view word) {
  static const Spellings spellings = read_list();
  const auto found = spellings.find(word);
  return found == spellings.end() ? word : found->second;
}

}  // namespace whisper_s4y
