#include "vocabulary/hf_tokenizer.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/json_file.h"
#include "checkpoint/large_json.h"
#include "checkpoint/side_file.h"
#include "checkpoint/text_file.h"
#include "common/fail.h"
#include "vocabulary/byte_alphabet.h"
#include "vocabulary/standard_vocabulary.h"
#include "vocabulary/vocabulary_builder.h"

namespace whisper_s4y {
namespace {

constexpr uint64_t kMaxTokenizerFile = 6 << 20;  // the genuine ones have 4 MB

// {"token": id, ...}
template <typename AddToken>
void read_token_map(const std::filesystem::path& path, AddToken add) {
  const TextFile file(path, kMaxTokenizerFile);
  LargeJson json(path.string(), file.text());
  json.read([&](JsonValue& root) {
    json.for_fields(root, "", [&](std::string_view token, JsonValue& id) {
      add(token, json.number_of(id, fmt::format("token \"{}\"", token)));
    });
  });
}

void add_merge_line(VocabularyBuilder& builder, std::string_view line, const std::string& source) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) fail("{}: the merge \"{}\" is not a pair.", source, line);
  builder.add_merge(line.substr(0, space), line.substr(space + 1));
}

void read_merges(const std::filesystem::path& path, VocabularyBuilder& builder) {
  const TextFile file(path, kMaxTokenizerFile);
  std::string_view text = file.text();
  bool first = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool comment = std::exchange(first, false) && line.starts_with("#version");
    if (!comment && !line.empty()) add_merge_line(builder, line, path.string());
  }
}

// tokenizer.json: of its many fields "added_tokens" and model.{type, vocab, merges} matter. Merges
// are "left right" or, in newer files, ["left", "right"].
class TokenizerReader {
 public:
  TokenizerReader(const std::string& source, std::string_view text, VocabularyBuilder& builder)
      : json_(source, text), builder_(builder) {}

  void read() {
    json_.read([&](JsonValue& root) {
      json_.for_fields(root, "", [&](std::string_view name, JsonValue& value) {
        if (name == "added_tokens") read_added_tokens(value);
        if (name == "model") read_model(value);
      });
    });
    if (!has_vocabulary_) fail("{} has no model.vocab.", json_.source());
    // The files list them first; they may repeat tokens of the vocabulary.
    for (const Added& token : added_) {
      builder_.add_added_token(token.content, token.id, token.special);
    }
  }

 private:
  struct Added {
    std::string content;
    uint64_t id = 0;
    bool special = false;
  };

  void read_added_tokens(JsonValue& list) {
    static constexpr std::string_view kPlace = "added_tokens";
    json_.for_values(list, kPlace, [&](JsonValue& value) {
      Added token;
      bool has_id = false;
      json_.for_fields(value, kPlace, [&](std::string_view name, JsonValue& field) {
        if (name == "content") token.content = json_.text_of(field, kPlace);
        if (name == "special") token.special = json_.bool_of(field, kPlace);
        if (name != "id") return;
        token.id = json_.number_of(field, kPlace);
        has_id = true;
      });
      if (token.content.empty() || !has_id) {
        json_.unexpected("an added token without content or id", kPlace);
      }
      added_.push_back(std::move(token));
    });
  }

  void read_model(JsonValue& model) {
    json_.for_fields(model, "model", [&](std::string_view name, JsonValue& value) {
      if (name == "type") {
        const std::string_view type = json_.text_of(value, "model.type");
        if (type != "BPE") {
          fail("{}: the tokenizer is of type {}, expected BPE.", json_.source(), type);
        }
      } else if (name == "vocab") {
        has_vocabulary_ = true;
        json_.for_fields(value, "model.vocab", [&](std::string_view token, JsonValue& id) {
          builder_.add_token(token, json_.number_of(id, "model.vocab"));
        });
      } else if (name == "merges") {
        json_.for_values(value, "model.merges", [&](JsonValue& merge) { read_merge(merge); });
      }
    });
  }

  void read_merge(JsonValue& merge) {
    static constexpr std::string_view kPlace = "model.merges";
    if (merge.type() == simdjson::ondemand::json_type::string) {
      return add_merge_line(builder_, json_.text_of(merge, kPlace), json_.source());
    }
    std::vector<std::string> pair;
    json_.for_values(merge, kPlace, [&](JsonValue& token) {
      if (pair.size() == 2) json_.unexpected("a merge that is not a pair", kPlace);
      pair.emplace_back(json_.text_of(token, kPlace));
    });
    if (pair.size() != 2) json_.unexpected("a merge that is not a pair", kPlace);
    builder_.add_merge(pair[0], pair[1]);
  }

  LargeJson json_;
  VocabularyBuilder& builder_;
  std::vector<Added> added_;
  bool has_vocabulary_ = false;
};

Vocabulary read_tokenizer_json(const std::filesystem::path& path, int vocab_size,
                               Warnings& warnings) {
  const TextFile file(path, kMaxTokenizerFile);
  VocabularyBuilder builder(vocab_size, path.string());
  TokenizerReader(path.string(), file.text(), builder).read();
  return builder.finish(warnings);
}

// ["token", ...] or a token a line: the id is the position.
Vocabulary read_token_list(const std::filesystem::path& path, bool json, int vocab_size,
                           Warnings& warnings) {
  VocabularyBuilder builder(vocab_size, path.string());
  uint64_t next = 0;
  std::string bytes;
  const auto add = [&](std::string_view token) {
    const uint64_t id = next++;
    const bool text_token = !has_special_form(token) && decode_byte_alphabet(token, bytes);
    // An empty line is a token without bytes, or an id no token has.
    if (token.empty()) return;
    text_token ? builder.add_token(token, id) : builder.add_added_token(token, id, false);
  };
  const TextFile file(path, kMaxTokenizerFile);
  if (json) {
    LargeJson list(path.string(), file.text());
    list.read([&](JsonValue& root) {
      list.for_values(root, "", [&](JsonValue& token) { add(list.text_of(token, "")); });
    });
    return builder.finish(warnings);
  }
  std::string_view rest = file.text();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    add(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return builder.finish(warnings);
}

// The text of a token as transformers writes it: "text" or {"content": "text"}.
void add_text(const nlohmann::json& token, std::set<std::string>& texts) {
  if (token.is_string()) texts.insert(token.get<std::string>());
  if (!token.is_object()) return;
  const auto content = token.find("content");
  if (content != token.end() && content->is_string()) texts.insert(content->get<std::string>());
}

// A token or a list of them.
void add_texts(const nlohmann::json& value, std::set<std::string>& texts) {
  if (!value.is_array()) return add_text(value, texts);
  for (const nlohmann::json& token : value) add_text(token, texts);
}

// special_tokens_map.json names special tokens only; tokenizer_config.json lists all added ones and
// says which are special.
std::set<std::string> special_texts(const std::filesystem::path& folder) {
  std::set<std::string> texts;
  if (const auto path = find_side_file(folder, "special_tokens_map.json")) {
    const JsonFile map(*path);
    for (const auto& [name, value] : map.items()) add_texts(value, texts);
  }
  if (const auto path = find_side_file(folder, "tokenizer_config.json")) {
    const JsonFile config(*path);
    for (const char* name : {"additional_special_tokens", "extra_special_tokens"}) {
      if (const nlohmann::json* list = config.find(name)) add_texts(*list, texts);
    }
    const nlohmann::json* added = config.find("added_tokens_decoder");
    if (added == nullptr || !added->is_object()) return texts;
    for (const nlohmann::json& token : *added) {
      if (!token.is_object()) continue;
      const auto special = token.find("special");
      if (special != token.end() && special->is_boolean() && special->get<bool>()) {
        add_text(token, texts);
      }
    }
  }
  return texts;
}

// vocab.json has no special tokens but, in English-only models, <|endoftext|> as text. Whether the
// model is a published one says its size; the timestamps follow by themselves.
void add_standard_special_tokens(Vocabulary& vocabulary, const std::filesystem::path& folder,
                                 Warnings& warnings) {
  const int size = static_cast<int>(vocabulary.tokens.size());
  if (!has_standard_vocabulary(size)) return;
  const Vocabulary standard = standard_vocabulary(size, folder.string());
  const std::set<std::string_view> known(vocabulary.tokens.begin(), vocabulary.tokens.end());
  std::vector<std::string> added;
  for (size_t id = 0; id < standard.tokens.size(); ++id) {
    const std::string& name = standard.tokens[id];
    if (standard.special[id] == 0) continue;
    const bool missing = vocabulary.tokens[id].empty() && !known.contains(name);
    const bool as_text = vocabulary.special[id] == 0 && vocabulary.tokens[id] == name;
    if (missing || as_text) {
      vocabulary.tokens[id] = name;
      vocabulary.special[id] = 1;
      vocabulary.ranks[id] = -1;
      added.push_back(name);
    }
    if (name == "<|notimestamps|>") break;
  }
  if (added.empty()) return;
  warn(warnings,
       "{}: the vocabulary lacks {} of the special tokens ({}), which are taken from what this "
       "program has built in; tokenizer.json or added_tokens.json would name them.",
       folder.string(), added.size(), some_of(added));
}

// The files of a folder that hold its vocabulary.
class VocabularyFolder {
 public:
  VocabularyFolder(const std::filesystem::path& folder, int vocab_size, Warnings& warnings)
      : folder_(folder), vocab_size_(vocab_size), warnings_(warnings) {
    vocab_ = find("vocab.json");
    merges_ = find("merges.txt");
    added_ = find("added_tokens.json");
    tokenizer_ = find("tokenizer.json");
    const bool parts = vocab_ && merges_;
    if (parts && added_) {
      add("vocab.json, merges.txt and added_tokens.json", [this] { return read_parts(true); });
    }
    if (tokenizer_) add("tokenizer.json", [this] { return read_tokenizer(); });
    if (parts) add("vocab.json and merges.txt", [this] { return read_parts(false); });
  }

  void add_token_list(const char* name, bool json) {
    if (const auto path = find(name)) {
      add(name, [=, this] { return read_token_list(*path, json, vocab_size_, warnings_); });
    }
  }

  // The first that can be read, else the built-in vocabulary.
  [[nodiscard]] Vocabulary read(const std::filesystem::path& source) {
    for (size_t i = 0; i < sources_.size(); ++i) {
      try {
        Vocabulary vocabulary = sources_[i].second();
        add_standard_special_tokens(vocabulary, folder_, warnings_);
        return vocabulary;
      } catch (const Error& error) {
        if (problem_.empty()) problem_ = error.what();
        warn(warnings_, "{} The vocabulary is taken from {} instead.", error.what(),
             i + 1 < sources_.size() ? sources_[i + 1].first : "what this program has built in");
      }
    }
    if (!problem_.empty() && !has_standard_vocabulary(vocab_size_)) fail("{}", problem_);
    return standard_vocabulary(vocab_size_, source.string());
  }

 private:
  // A link that cannot be followed is a file less: another may hold the same.
  [[nodiscard]] std::optional<std::filesystem::path> find(std::string_view name) {
    try {
      return find_side_file(folder_, name);
    } catch (const Error& error) {
      if (problem_.empty()) problem_ = error.what();
      warn(warnings_, "{} The file is ignored.", error.what());
      return std::nullopt;
    }
  }
  void add(std::string name, std::function<Vocabulary()> read) {
    sources_.emplace_back(std::move(name), std::move(read));
  }
  Vocabulary read_tokenizer() { return read_tokenizer_json(*tokenizer_, vocab_size_, warnings_); }

  Vocabulary read_parts(bool with_added) {
    VocabularyBuilder builder(vocab_size_, vocab_->string());
    read_token_map(*vocab_,
                   [&](std::string_view text, uint64_t id) { builder.add_token(text, id); });
    bool plain = false;
    if (with_added) {
      read_token_map(*added_, [&](std::string_view text, uint64_t id) {
        builder.add_added_token(text, id, false);
        plain = plain || !has_special_form(text);
      });
    }
    read_merges(*merges_, builder);
    Vocabulary vocabulary = builder.finish(warnings_);
    // added_tokens.json does not say which of its tokens are special.
    if (plain) {
      read_optional(warnings_, "Added tokens count as text where their form says no other.",
                    [&] { mark_special(vocabulary); });
    }
    return vocabulary;
  }

  void mark_special(Vocabulary& vocabulary) {
    if (tokenizer_) {
      const Vocabulary known = read_tokenizer();
      for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
        if (known.special[id] != 0 && known.tokens[id] == vocabulary.tokens[id]) {
          vocabulary.special[id] = 1;
          vocabulary.ranks[id] = -1;
        }
      }
      return;
    }
    const std::set<std::string> texts = special_texts(folder_);
    for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
      const bool added = !vocabulary.tokens[id].empty() && vocabulary.ranks[id] < 0;
      if (added && texts.contains(vocabulary.tokens[id])) vocabulary.special[id] = 1;
    }
  }

  std::filesystem::path folder_;
  std::optional<std::filesystem::path> vocab_, merges_, added_, tokenizer_;
  int vocab_size_;
  Warnings& warnings_;
  std::string problem_;  // the first
  std::vector<std::pair<std::string, std::function<Vocabulary()>>> sources_;
};

}  // namespace

Vocabulary read_hf_vocabulary(const std::filesystem::path& folder, int vocab_size,
                              const std::filesystem::path& source, Warnings& warnings) {
  return VocabularyFolder(folder, vocab_size, warnings).read(source);
}

Vocabulary read_ctranslate2_vocabulary(const std::filesystem::path& folder, int vocab_size,
                                       Warnings& warnings) {
  VocabularyFolder files(folder, vocab_size, warnings);
  files.add_token_list("vocabulary.json", true);
  files.add_token_list("vocabulary.txt", false);
  return files.read(folder);
}

}  // namespace whisper_s4y
