#include "vocabulary/generation_fields.h"

#include <algorithm>
#include <set>

#include "vocabulary/vocabulary_builder.h"

namespace whisper_s4y {
namespace {

// A whole number from 0 to `limit` - 1.
std::optional<int> index_below(const nlohmann::json& value, int limit) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() >= static_cast<uint64_t>(limit)) {
    return std::nullopt;
  }
  return value.get<int>();
}

// As the file has it, but short and without what is not UTF-8.
std::string shown(const nlohmann::json& value) {
  constexpr size_t kLongest = 40;
  // Writing goes as deep as the value, which may be any number of levels.
  if (std::ranges::any_of(value, [](const nlohmann::json& part) { return part.is_structured(); })) {
    return value.is_array() ? "[...]" : "{...}";
  }
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace

std::optional<int> GenerationFields::token_of(const nlohmann::json& value) const {
  return index_below(value, config_.vocab_size);
}

std::optional<std::pair<int, int>> GenerationFields::head_of(const nlohmann::json& value) const {
  if (!value.is_array() || value.size() != 2) return std::nullopt;
  const auto layer = index_below(value[0], config_.decoder_layers);
  const auto head = index_below(value[1], config_.decoder_attention_heads);
  return layer && head ? std::optional(std::pair(*layer, *head)) : std::nullopt;
}

const nlohmann::json* GenerationFields::array(const char* name) const {
  const nlohmann::json* value = file_.find(name);
  if (value != nullptr && !value->is_array()) file_.expected(name, "a list");
  return value;
}

const nlohmann::json* GenerationFields::object(const char* name) const {
  const nlohmann::json* value = file_.find(name);
  if (value != nullptr && !value->is_object()) file_.expected(name, "an object");
  return value;
}

void GenerationFields::warn_of_ids(const char* name, const std::vector<std::string>& wrong) const {
  if (wrong.empty()) return;
  warn(warnings_, "{}: of {} {} left out, for the model has token ids from 0 to {}: {}.",
       file_.source(), name,
       wrong.size() == 1 ? "1 entry is" : fmt::format("{} entries are", wrong.size()),
       config_.vocab_size - 1, some_of(wrong));
}

void GenerationFields::token_id(const char* name, int& field) const {
  const nlohmann::json* value = file_.find(name);
  if (value == nullptr) return;
  const auto id = token_of(*value);
  if (id) {
    field = *id;
  } else {
    warn(warnings_, "{}: {} is {}, expected a token id below {}; it is ignored.", file_.source(),
         name, shown(*value), config_.vocab_size);
  }
}

void GenerationFields::first_token_id(const char* name, int& field) const {
  const nlohmann::json* value = file_.find(name);
  if (value == nullptr || !value->is_array()) return token_id(name, field);
  std::vector<int> ids;
  token_ids(name, ids);
  if (!ids.empty()) field = ids[0];
}

void GenerationFields::token_ids(const char* name, std::vector<int>& field) const {
  optional([&] {
    const nlohmann::json* list = array(name);
    if (list == nullptr) return;
    std::vector<int> ids;
    std::vector<std::string> wrong;
    for (const nlohmann::json& value : *list) {
      if (const auto id = token_of(value)) {
        ids.push_back(*id);
      } else {
        wrong.push_back(shown(value));
      }
    }
    warn_of_ids(name, wrong);
    if (!ids.empty()) field = std::move(ids);
  });
}

void GenerationFields::heads(const char* name, std::vector<std::pair<int, int>>& field) const {
  optional([&] {
    const nlohmann::json* list = array(name);
    if (list == nullptr) return;
    std::vector<std::pair<int, int>> heads;
    std::set<std::pair<int, int>> seen;
    std::vector<std::string> wrong;
    std::vector<std::string> repeated;
    for (const nlohmann::json& value : *list) {
      const auto head = head_of(value);
      if (head && seen.insert(*head).second) {
        heads.push_back(*head);
      } else if (head) {
        repeated.push_back(shown(value));
      } else {
        wrong.push_back(shown(value));
      }
    }
    if (!wrong.empty()) {
      warn(warnings_, "{}: of {} {} left out, for the decoder has {} layers of {} heads: {}.{}",
           file_.source(), name,
           wrong.size() == 1 ? "1 pair is" : fmt::format("{} pairs are", wrong.size()),
           config_.decoder_layers, config_.decoder_attention_heads, some_of(wrong),
           heads.empty() ? " None is left: word timestamps use the default heads." : "");
    }
    if (!repeated.empty()) {
      warn(warnings_, "{}: of {} {} left out, for the list has them already: {}.", file_.source(),
           name, repeated.size() == 1 ? "1 pair is" : fmt::format("{} pairs are", repeated.size()),
           some_of(repeated));
    }
    if (!heads.empty()) field = std::move(heads);
  });
}

void GenerationFields::languages(const char* name,
                                 std::vector<std::pair<std::string, int>>& field) const {
  optional([&] {
    const nlohmann::json* map = object(name);
    if (map == nullptr) return;
    std::vector<std::pair<std::string, int>> languages;
    std::vector<std::string> wrong;
    for (const auto& [token, value] : map->items()) {
      std::string code =
          has_special_form(token) ? token.substr(2, token.size() - 4) : token;  // "<|en|>"
      const auto id = token_of(value);
      if (id && !code.empty()) {
        languages.emplace_back(std::move(code), *id);
      } else {
        wrong.push_back(fmt::format("{} {}", token, shown(value)));
      }
    }
    warn_of_ids(name, wrong);
    std::ranges::sort(languages, {}, &std::pair<std::string, int>::second);
    if (!languages.empty()) field = std::move(languages);
  });
}

void GenerationFields::tasks(const char* name, GenerationConfig& generation) const {
  optional([&] {
    const nlohmann::json* map = object(name);
    if (map == nullptr) return;
    std::vector<std::string> wrong;
    for (const auto& [task, value] : map->items()) {
      const bool transcribe = task == "transcribe";
      if (!transcribe && task != "translate") continue;
      if (const auto id = token_of(value)) {
        (transcribe ? generation.transcribe_token_id : generation.translate_token_id) = *id;
      } else {
        wrong.push_back(fmt::format("{} {}", task, shown(value)));
      }
    }
    warn_of_ids(name, wrong);
  });
}

void GenerationFields::count(const char* name, int& field) const {
  optional([&] {
    const auto value = file_.integer(name);
    if (value && *value < 0) file_.expected(name, "0 or more");
    field = value.value_or(field);
  });
}

void GenerationFields::boolean(const char* name, std::optional<bool>& field) const {
  optional([&] {
    if (const auto value = file_.boolean(name)) field = value;
  });
}

}  // namespace whisper_s4y
