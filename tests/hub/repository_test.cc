#include "hub/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::string> names_of(const std::vector<RemoteFile>& files) {
  std::vector<std::string> names;
  for (const RemoteFile& file : files) names.push_back(file.name);
  return names;
}

std::vector<RemoteFile> listing_of(std::initializer_list<const char*> names) {
  std::vector<RemoteFile> files;
  for (const char* name : names) files.push_back({.name = name, .size = {}, .sha256 = {}});
  return files;
}

TEST(RepositoryOf, KnowsTheShortNames) {
  EXPECT_EQ(repository_of("tiny.en"), "openai/whisper-tiny.en");
  EXPECT_EQ(repository_of("large"), "openai/whisper-large-v3");
  EXPECT_EQ(repository_of("turbo"), "openai/whisper-large-v3-turbo");
  EXPECT_EQ(repository_of("distil-small.en"), "distil-whisper/distil-small.en");
}

TEST(RepositoryOf, KeepsOwnerAndName) {
  EXPECT_EQ(repository_of("someone/My_fine-tune.v2"), "someone/My_fine-tune.v2");
}

TEST(RepositoryOf, RefusesWhatIsNoName) {
  for (const char* name : {"", "tinny", "a/b/c", "../b", "a/..", "/b", "a/", "a b/c", "a/b?x=1"}) {
    EXPECT_FALSE(is_repository_name(name)) << name;
    EXPECT_THROW((void)repository_of(name), Error) << name;
  }
  EXPECT_THAT([] { (void)repository_of("tinny"); },
              ThrowsMessage<Error>(HasSubstr("'tinny' names no model: expected one of tiny, ")));
}

TEST(ParseListing, ReadsNamesSizesAndHashes) {
  const std::string hash(64, 'a');
  const auto files = parse_listing(R"({"id": "x/y", "siblings": [
      {"rfilename": "config.json", "size": 12},
      {"rfilename": "model.safetensors", "size": 34, "lfs": {"sha256": ")" +
                                       hash + R"("}},
      {"rfilename": "odd", "lfs": {"sha256": "nonsense"}}]})",
                                   "listing");
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].name, "config.json");
  EXPECT_EQ(files[0].size, 12U);
  EXPECT_EQ(files[0].sha256, "");
  EXPECT_EQ(files[1].sha256, hash);
  EXPECT_EQ(files[2].size, std::nullopt);
  EXPECT_EQ(files[2].sha256, "");
}

TEST(ParseListing, RefusesWhatIsNoListing) {
  for (const char* text :
       {"", "<html>", "[]", "{}", R"({"siblings": 3})", R"({"siblings": [{"size": 1}]})"}) {
    EXPECT_THAT([&] { (void)parse_listing(text, "the answer"); },
                ThrowsMessage<Error>(HasSubstr("the answer")))
        << text;
  }
}

TEST(SelectFiles, PrefersSafetensors) {
  EXPECT_THAT(names_of(select_files(
                  listing_of({"README.md", "pytorch_model.bin", "config.json", "model.safetensors",
                              "tokenizer.json", "tf_model.h5", "model.bin"}),
                  "x/y")),
              ElementsAre("config.json", "tokenizer.json", "model.safetensors"));
}

TEST(SelectFiles, TakesShardsThenPickleThenCtranslate2) {
  EXPECT_EQ(
      select_files(listing_of({"config.json", "model.safetensors.index.json", "pytorch_model.bin"}),
                   "x/y")
          .back()
          .name,
      "model.safetensors.index.json");
  EXPECT_EQ(select_files(listing_of({"config.json", "pytorch_model.bin", "model.bin"}), "x/y")
                .back()
                .name,
            "pytorch_model.bin");
  EXPECT_EQ(select_files(listing_of({"config.json", "model.bin"}), "x/y").back().name, "model.bin");
}

TEST(SelectFiles, SaysWhatIsMissing) {
  EXPECT_THAT([] { (void)select_files(listing_of({"model.safetensors"}), "x/y"); },
              ThrowsMessage<Error>(HasSubstr("x/y holds no Whisper checkpoint")));
  EXPECT_THAT(
      [] {
        (void)select_files(listing_of({"config.json", "tf_model.h5"}), "x/y");
      },
      ThrowsMessage<Error>(HasSubstr("x/y has no weights to convert")));
  EXPECT_THAT(
      [] {
        (void)select_files(listing_of({"adapter_config.json", "adapter_model.safetensors"}), "x/y");
      },
      ThrowsMessage<Error>(HasSubstr("x/y is a LoRA adapter, not a whole model")));
}

TEST(ShardsOf, NamesEachShardOnce) {
  const auto listing = listing_of({"model-1.safetensors", "model-2.safetensors"});
  EXPECT_THAT(names_of(shards_of(R"({"weight_map": {"a": "model-2.safetensors",
                                     "b": "model-1.safetensors", "c": "model-2.safetensors"}})",
                                 listing, "index")),
              ElementsAre("model-1.safetensors", "model-2.safetensors"));
}

TEST(ShardsOf, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../a.safetensors", "/etc/a.safetensors", "a/b.safetensors",
                           "a\\b.safetensors", "passwd", "..", ""}) {
    const std::string index =
        std::string(R"({"weight_map": {"a": ")") +
        (std::string(name) == "a\\b.safetensors" ? "a\\\\b.safetensors" : name) + R"("}})";
    EXPECT_THAT([&] { (void)shards_of(index, listing_of({name}), "index"); },
                ThrowsMessage<Error>(HasSubstr("not a plain name")))
        << name;
  }
}

TEST(ShardsOf, RefusesAnIndexThatIsNone) {
  for (const char* text : {"", "[]", "{}", R"({"weight_map": {"a": 1}})",
                           R"({"weight_map": {"a": "missing.safetensors"}})"}) {
    EXPECT_THROW((void)shards_of(text, {}, "index"), Error) << text;
  }
}

}  // namespace
}  // namespace whisper_s4y
