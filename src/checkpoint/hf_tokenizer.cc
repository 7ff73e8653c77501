#include "checkpoint/hf_tokenizer.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/byte_alphabet.h"
#include "checkpoint/json_file.h"
#include "checkpoint/json_sax.h"
#include "checkpoint/side_file.h"
#include "checkpoint/standard_vocabulary.h"
#include "checkpoint/text_file.h"
#include "checkpoint/vocabulary_builder.h"
#include "common/fail.h"

namespace whisper_s4y {
namespace {

constexpr uint64_t kMaxTokenizerFile = 6 << 20;  // the genuine ones have 4 MB

// {"token": id, ...}
template <typename AddToken>
class TokenMapReader : public JsonEvents {
 public:
  TokenMapReader(std::string source, AddToken add)
      : JsonEvents(std::move(source)), add_(std::move(add)) {}
  bool start_object(std::size_t) override {
    if (++depth_ > 1) unexpected("an object");
    return true;
  }
  bool key(string_t& text) override {
    token_.swap(text);
    return true;
  }
  bool number_unsigned(number_unsigned_t id) override {
    if (depth_ != 1) unexpected("a number");
    add_(token_, id);
    return true;
  }

 protected:
  [[nodiscard]] std::string place() const override { return fmt::format("token \"{}\"", token_); }

 private:
  AddToken add_;
  int depth_ = 0;
  std::string token_;
};

template <typename AddToken>
void read_token_map(const std::filesystem::path& path, AddToken add) {
  const TextFile file(path, kMaxTokenizerFile);
  TokenMapReader<AddToken>(path.string(), std::move(add)).parse(file.text());
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
class TokenizerReader : public JsonEvents {
 public:
  TokenizerReader(const std::string& source, VocabularyBuilder& builder)
      : JsonEvents(source), builder_(builder) {}

  [[nodiscard]] bool has_vocabulary() const { return has_vocabulary_; }

  /// The files list added tokens first; they may repeat tokens of the vocabulary.
  void add_added_tokens() {
    for (const Added& token : added_) {
      builder_.add_added_token(token.content, token.id, token.special);
    }
  }

  bool start_object(std::size_t) override {
    if (in_merges() || at(Field::merges) || at(Field::type)) unexpected("an object");
    ++depth_;
    if (section_ == Section::added && depth_ == 3) token_ = {};
    return true;
  }
  bool end_object() override {
    if (section_ == Section::added && depth_ == 3) {
      if (token_.content.empty() || !has_id_) unexpected("an added token without content or id");
      has_id_ = false;
      added_.push_back(std::move(token_));
    }
    return leave();
  }
  bool start_array(std::size_t) override {
    if (in_vocab() || at(Field::vocab) || at(Field::type) || (in_merges() && depth_ > 3)) {
      unexpected("a list");
    }
    ++depth_;
    if (in_merges()) pair_.clear();
    return true;
  }
  bool end_array() override {
    if (in_merges() && depth_ == 4) {
      if (pair_.size() != 2) unexpected("a merge that is not a pair");
      builder_.add_merge(pair_[0], pair_[1]);
    }
    return leave();
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      section_ = name == "added_tokens" ? Section::added
                 : name == "model"      ? Section::model
                                        : Section::other;
    } else if (depth_ == 2 && section_ == Section::model) {
      field_ = name == "vocab"    ? Field::vocab
               : name == "merges" ? Field::merges
               : name == "type"   ? Field::type
                                  : Field::other;
      has_vocabulary_ = has_vocabulary_ || field_ == Field::vocab;
    } else if (in_vocab() || section_ == Section::added) {
      key_.swap(name);
    }
    return true;
  }
  bool string(string_t& text) override {
    if (in_vocab() || at(Field::vocab) || at(Field::merges)) unexpected("a string");
    if (section_ == Section::added && depth_ == 3 && key_ == "content") token_.content = text;
    if (section_ == Section::model && depth_ == 2 && field_ == Field::type && text != "BPE") {
      fail("{}: the tokenizer is of type {}, expected BPE.", source(), text);
    }
    if (in_merges() && depth_ == 3) add_merge_line(builder_, text, source());
    if (in_merges() && depth_ == 4) pair_.push_back(text);
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (in_vocab()) builder_.add_token(key_, number);
    if (in_merges() || at_known_field()) unexpected("a number");
    if (section_ == Section::added && depth_ == 3 && key_ == "id") {
      token_.id = number;
      has_id_ = true;
    }
    return true;
  }
  bool boolean(bool value) override {
    if (in_vocab() || in_merges() || at_known_field()) unexpected("true or false");
    if (section_ == Section::added && depth_ == 3 && key_ == "special") token_.special = value;
    return true;
  }
  bool null() override {
    if (in_vocab() || in_merges() || at_known_field()) unexpected("null");
    return true;
  }
  bool number_integer(number_integer_t) override {
    if (in_vocab() || in_merges() || section_ == Section::added) unexpected("a negative number");
    return true;
  }
  bool number_float(number_float_t, const string_t&) override {
    if (in_vocab() || in_merges() || section_ == Section::added) unexpected("a fraction");
    return true;
  }

 protected:
  [[nodiscard]] std::string place() const override {
    if (section_ == Section::added) return "added_tokens";
    if (in_vocab() || at(Field::vocab)) return "model.vocab";
    return in_merges() || at(Field::merges) ? "model.merges" : "";
  }

 private:
  enum class Section { other, added, model };
  enum class Field { other, vocab, merges, type };  // of the section model
  struct Added {
    std::string content;
    uint64_t id = 0;
    bool special = false;
  };

  // The value of model.FIELD comes next.
  [[nodiscard]] bool at(Field field) const {
    return section_ == Section::model && depth_ == 2 && field_ == field;
  }
  [[nodiscard]] bool at_known_field() const {
    return at(Field::vocab) || at(Field::merges) || at(Field::type);
  }
  [[nodiscard]] bool in_vocab() const {
    return section_ == Section::model && depth_ >= 3 && field_ == Field::vocab;
  }
  [[nodiscard]] bool in_merges() const {
    return section_ == Section::model && depth_ >= 3 && field_ == Field::merges;
  }
  bool leave() {
    --depth_;
    if (depth_ == 1) section_ = Section::other;
    if (depth_ == 2) field_ = Field::other;
    return true;
  }

  VocabularyBuilder& builder_;
  int depth_ = 0;
  Section section_ = Section::other;
  Field field_ = Field::other;
  std::string key_;
  std::vector<std::string> pair_;
  std::vector<Added> added_;
  Added token_;
  bool has_id_ = false;
  bool has_vocabulary_ = false;
};

Vocabulary read_tokenizer_json(const std::filesystem::path& path, int vocab_size,
                               Warnings& warnings) {
  const TextFile file(path, kMaxTokenizerFile);
  VocabularyBuilder builder(vocab_size, path.string());
  TokenizerReader reader(path.string(), builder);
  reader.parse(file.text());
  if (!reader.has_vocabulary()) fail("{} has no model.vocab.", path.string());
  reader.add_added_tokens();
  return builder.finish(warnings);
}

// ["token", ...]: the id is the position.
template <typename AddToken>
class TokenListReader : public JsonEvents {
 public:
  TokenListReader(std::string source, AddToken add)
      : JsonEvents(std::move(source)), add_(std::move(add)) {}
  bool start_array(std::size_t) override {
    if (++depth_ > 1) unexpected("a list");
    return true;
  }
  bool string(string_t& text) override {
    if (depth_ != 1) unexpected("a string");
    add_(text);
    return true;
  }

 private:
  AddToken add_;
  int depth_ = 0;
};

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
    TokenListReader(path.string(), add).parse(file.text());
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
