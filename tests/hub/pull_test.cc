#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>  // setenv

#include <fstream>
#include <thread>

#include "hub/download.h"
#include "hub/fake_hub.h"
#include "hub/file_hash.h"
#include "hub/hub.h"
#include "support/files.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

std::string some_bytes(size_t count) {
  std::string bytes(count, '\0');
  uint32_t state = 12345;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PullTest : public ::testing::Test {
 protected:
  PullTest() {
    hub_.files["config.json"].content = "{}";
    hub_.files["tokenizer.json"].content = R"({"model": {}})";
    hub_.files["README.md"].content = "not needed";
    hub_.files["model.safetensors"].content = weights_;
    hub_.files["model.safetensors"].listed_sha256 = hash_of(weights_);
    options_.endpoint = hub_.address();
    options_.retry_delay = std::chrono::milliseconds(1);
    options_.retries = 2;
    options_.stall_timeout = std::chrono::seconds(5);
  }

  std::string hash_of(const std::string& bytes) {
    write_file(folder_ / "hashed", bytes);
    std::string hash = sha256_of_file(folder_ / "hashed");
    fs::remove(folder_ / "hashed");
    return hash;
  }
  FakeHub::File& weights_file() { return hub_.files["model.safetensors"]; }

  const std::string weights_ = some_bytes(300000);
  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  FakeHub hub_;
  HubOptions options_;
};

TEST(Sha256OfFile, GivesTheStandardsExample) {
  const fs::path path = fs::temp_directory_path() / "whisper-s4y-sha256-abc";
  write_file(path, "abc");  // FIPS 180-2, appendix B.1
  EXPECT_EQ(sha256_of_file(path),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  fs::remove(path);
  EXPECT_THROW((void)sha256_of_file(path), Error);
}

TEST_F(PullTest, DownloadsWhatTheConverterReads) {
  std::map<std::string, uint64_t> seen;
  options_.progress = [&](const std::string& file, uint64_t done, uint64_t total) {
    EXPECT_LE(done, total);
    seen[file] = done;
  };
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "config.json"), "{}");
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  EXPECT_FALSE(fs::exists(folder_ / "README.md"));
  EXPECT_FALSE(fs::exists(folder_ / "model.safetensors.part"));
  EXPECT_EQ(seen["model.safetensors"], weights_.size());
}

TEST_F(PullTest, KeepsWhatIsThereAndRight) {
  pull("tiny.en", folder_, options_);
  pull("tiny.en", folder_, options_);
  EXPECT_THAT(hub_.requests_for("model.safetensors"), SizeIs(1));
  write_file(folder_ / "model.safetensors", std::string(weights_.size(), 'x'));
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
}

TEST_F(PullTest, DownloadsShards) {
  hub_.files.erase("model.safetensors");
  hub_.files["model.safetensors.index.json"].content =
      R"({"weight_map": {"a": "model-00001-of-00002.safetensors",
                         "b": "model-00002-of-00002.safetensors"}})";
  hub_.files["model-00001-of-00002.safetensors"].content = "first";
  hub_.files["model-00002-of-00002.safetensors"].content = "second";
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model-00001-of-00002.safetensors"), "first");
  EXPECT_EQ(content_of(folder_ / "model-00002-of-00002.safetensors"), "second");
}

TEST_F(PullTest, ResumesABegunFile) {
  write_file(folder_ / "model.safetensors.part", weights_.substr(0, 100000));
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  ASSERT_THAT(hub_.requests_for("model.safetensors"), SizeIs(1));
  EXPECT_EQ(hub_.requests_for("model.safetensors")[0].range, "bytes=100000-");
}

TEST_F(PullTest, StartsAgainWhereTheServerKnowsNoRanges) {
  weights_file().ranges = false;
  write_file(folder_ / "model.safetensors.part", weights_.substr(0, 100000));
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
}

TEST_F(PullTest, StartsAgainWhenTheBegunFileWasAnotherVersion) {
  write_file(folder_ / "model.safetensors.part", std::string(100000, 'x'));
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  EXPECT_THAT(hub_.requests_for("model.safetensors"), SizeIs(2));
}

TEST_F(PullTest, TakesAFinishedPartWithoutAskingAgain) {
  write_file(folder_ / "model.safetensors.part", weights_);
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  EXPECT_THAT(hub_.requests_for("model.safetensors"), IsEmpty());
}

TEST_F(PullTest, ContinuesAfterABrokenConnection) {
  weights_file().truncate_first = 120000;
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  const auto requests = hub_.requests_for("model.safetensors");
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[1].range, "bytes=120000-");
}

TEST_F(PullTest, TriesAgainAfterServerErrors) {
  weights_file().failures = {500, 503};
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
}

TEST_F(PullTest, GivesUpAfterTooManyServerErrors) {
  weights_file().failures = {500, 502, 503, 500};
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(AllOf(HasSubstr(hub_.file_address("model.safetensors")),
                                         HasSubstr("the server answered 503"))));
  EXPECT_FALSE(fs::exists(folder_ / "model.safetensors"));
}

TEST_F(PullTest, RefusesAWrongHash) {
  weights_file().listed_sha256 = std::string(64, '0');
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(AllOf(HasSubstr("expected " + std::string(64, '0')),
                                         HasSubstr(hash_of(weights_)))));
  EXPECT_FALSE(fs::exists(folder_ / "model.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "model.safetensors.part"));
}

TEST_F(PullTest, ChecksTheHashNamedInAHeader) {
  weights_file().listed_sha256.clear();
  weights_file().linked_etag = std::string(64, '1');
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("expected " + std::string(64, '1'))));
}

TEST_F(PullTest, ChecksGitsIdOfTheContent) {
  // $ printf '{}' | git hash-object --stdin
  hub_.files["config.json"].blob_id = "9e26dfeeb6e641a33dae4961196235bdb965b21b";
  pull("tiny.en", folder_, options_);
  write_file(folder_ / "config.json", "[]");  // of the same size
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "config.json"), "{}");
  hub_.files["config.json"].blob_id = std::string(40, '1');
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("arrived with the Git blob id 9e26dfee")));
  EXPECT_FALSE(fs::exists(folder_ / "config.json.part"));
}

// A part without its origin could be of anything, and without a hash nothing would show it.
TEST_F(PullTest, ContinuesOnlyWhatItCanCheck) {
  weights_file().listed_sha256.clear();
  write_file(folder_ / "model.safetensors.part", std::string(100000, 'x'));
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  EXPECT_EQ(hub_.requests_for("model.safetensors")[0].range, "");
}

TEST_F(PullTest, ContinuesTheSameFileOnly) {
  weights_file().listed_sha256.clear();  // only the ETag can tell
  weights_file().etag = "one";
  weights_file().truncate_first = 100000;
  options_.retries = 0;
  EXPECT_THROW(pull("tiny.en", folder_, options_), Error);
  EXPECT_EQ(fs::file_size(folder_ / "model.safetensors.part"), 100000);
  const std::string newer = some_bytes(299999) + "y";
  weights_file().content = newer;
  weights_file().etag = "two";
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), newer);
  auto requests = hub_.requests_for("model.safetensors");
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[1].range, "bytes=100000-");
  EXPECT_EQ(requests[1].if_range, "\"one\"");
  EXPECT_THAT(temporary_.names(), Not(testing::Contains(HasSubstr(".part"))));

  fs::remove(folder_ / "model.safetensors");
  weights_file().truncate_first = 100000;
  EXPECT_THROW(pull("tiny.en", folder_, options_), Error);
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), newer);
  requests = hub_.requests_for("model.safetensors");
  EXPECT_EQ(requests.back().if_range, "\"two\"");
}

TEST_F(PullTest, BeginsAgainWhenTheListedHashIsAnother) {
  weights_file().truncate_first = 100000;
  options_.retries = 0;
  EXPECT_THROW(pull("tiny.en", folder_, options_), Error);
  weights_file().content = some_bytes(299999) + "y";
  weights_file().listed_sha256 = hash_of(weights_file().content);
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_file().content);
  EXPECT_EQ(hub_.requests_for("model.safetensors").back().range, "");
}

TEST_F(PullTest, TellsThatItWaits) {
  std::vector<std::string> notices;
  options_.notice = [&](const std::string& notice) { notices.push_back(notice); };
  weights_file().failures = {429};
  weights_file().retry_after = "1";
  pull("tiny.en", folder_, options_);
  EXPECT_THAT(notices, testing::ElementsAre("the hub asks to wait 1 s (the server answered 429)"));
  fs::remove(folder_ / "model.safetensors");
  weights_file().failures = {503};
  weights_file().retry_after = "86400";
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("answered 503 and asks to wait 86400 s")));
}

// The second gets the lock on a file that the first has just given its name.
TEST_F(PullTest, LeavesAFileAloneThatAnotherProcessHasFinished) {
  const std::string part = folder_ / "model.safetensors.part";
  const fs::path whole = folder_ / "model.safetensors";
  for (int i = 0; i < 20; ++i) {
    fs::remove(whole);
    weights_file().failures.clear();
    std::vector<std::jthread> pulls;
    for (int k = 0; k < 3; ++k) {
      pulls.emplace_back([&] {
        HttpClient client;
        try {
          download_file(client, hub_.file_address("model.safetensors"), whole,
                        {.size = weights_.size(), .sha256 = weights_file().listed_sha256},
                        {.progress = {}, .notice = {}});
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("another process is downloading it"));
        }
      });
    }
    pulls.clear();
    ASSERT_EQ(content_of(whole), weights_);
    ASSERT_FALSE(fs::exists(part));
  }
}

TEST_F(PullTest, SaysWhenThereIsNoSuchFile) {
  HttpClient client;
  EXPECT_THAT(
      [&] { download_file(client, hub_.file_address("missing"), folder_ / "missing", {}, {}); },
      ThrowsMessage<Error>(HasSubstr("no such file (404)")));
  EXPECT_FALSE(fs::exists(folder_ / "missing"));
}

TEST_F(PullTest, AsksForATokenAndSendsIt) {
  hub_.required_token = "secret";
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("needs a token in HF_TOKEN")));
  options_.token = "wrong";
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("does not accept the token")));
  options_.token = "secret";
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
}

TEST_F(PullTest, FollowsARedirectWithoutTheToken) {
  FakeHub storage("some/storage");  // another port is another host
  storage.files["blob"].content = weights_;
  hub_.required_token = "secret";
  options_.token = "secret";
  weights_file().redirect = storage.file_address("blob");
  weights_file().listed_sha256.clear();
  weights_file().linked_etag = hash_of(weights_);
  pull("tiny.en", folder_, options_);
  EXPECT_EQ(content_of(folder_ / "model.safetensors"), weights_);
  ASSERT_THAT(storage.requests_for("blob"), SizeIs(1));
  EXPECT_EQ(storage.requests_for("blob")[0].authorization, "");
  EXPECT_EQ(hub_.requests_for("model.safetensors")[0].authorization, "Bearer secret");
}

TEST_F(PullTest, ChecksTheHashNamedByARedirect) {
  FakeHub storage("some/storage");
  storage.files["blob"].content = some_bytes(weights_.size() - 1) + "x";
  weights_file().redirect = storage.file_address("blob");
  weights_file().listed_sha256.clear();
  weights_file().linked_etag = hash_of(weights_);
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("expected " + hash_of(weights_))));
}

TEST_F(PullTest, StopsABodyThatIsTooLong) {
  FakeHub storage("some/storage");
  storage.files["blob"].content = weights_ + "more";
  weights_file().redirect = storage.file_address("blob");
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("longer than the 300000 bytes")));
}

TEST_F(PullTest, SaysWhenNobodyAnswers) {
  {
    const FakeHub gone;
    options_.endpoint = gone.address();
  }
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(StartsWith("Cannot download " + options_.endpoint)));
  options_.endpoint = "ftp://127.0.0.1";
  EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
              ThrowsMessage<Error>(HasSubstr("must begin with https://")));
}

TEST_F(PullTest, SaysWhenTheFolderCannotBeWritten) {
  write_file(folder_ / "file", "");
  EXPECT_THAT([&] { pull("tiny.en", folder_ / "file", options_); },
              ThrowsMessage<Error>(HasSubstr("Cannot create the folder")));
}

TEST_F(PullTest, RefusesARevisionThatLeavesItsPlace) {
  for (const char* revision : {"", "..", "a/b", "main?x"}) {
    options_.revision = revision;
    EXPECT_THAT([&] { pull("tiny.en", folder_, options_); },
                ThrowsMessage<Error>(HasSubstr("not the name of a revision")));
  }
  EXPECT_THAT(hub_.requests(), IsEmpty());
}

TEST_F(PullTest, ResolvesAPathBeforeAName) {
  EXPECT_EQ(resolve_checkpoint(folder_.string(), options_), folder_);
  EXPECT_THAT([&] { (void)resolve_checkpoint("/nowhere/model.pt", options_); },
              ThrowsMessage<Error>(HasSubstr("/nowhere/model.pt does not exist")));
}

TEST_F(PullTest, ResolvesANameOnceThroughTheCache) {
  setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  const fs::path found = resolve_checkpoint("tiny.en", options_);
  EXPECT_EQ(found.filename(), "openai--whisper-tiny.en");
  EXPECT_TRUE(found.string().starts_with((folder_ / "whisper-s4y/hub/http%3A%2F%2F").string()));
  EXPECT_EQ(content_of(found / "model.safetensors"), weights_);
  const size_t asked = hub_.requests().size();
  EXPECT_EQ(resolve_checkpoint("tiny.en", options_), found);
  EXPECT_EQ(hub_.requests().size(), asked);
  unsetenv("XDG_CACHE_HOME");
}

TEST_F(PullTest, KeepsMirrorsApart) {
  setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  const fs::path first = resolve_checkpoint("tiny.en", options_);
  FakeHub mirror;
  mirror.files["config.json"].content = "{}";
  mirror.files["model.safetensors"].content = "other weights";
  options_.endpoint = mirror.address() + "/";
  const fs::path second = resolve_checkpoint("tiny.en", options_);
  EXPECT_NE(first, second);
  EXPECT_EQ(content_of(first / "model.safetensors"), weights_);
  EXPECT_EQ(content_of(second / "model.safetensors"), "other weights");
  unsetenv("XDG_CACHE_HOME");
}

// A cache as huggingface_hub fills it.
class HfCache : public PullTest {
 protected:
  HfCache() {
    write("model.safetensors", "weights");
    write("config.json", "{}");
    write("tokenizer.json", "{}");
    fs::create_directories(model_ / "refs");
    write_file(model_ / "refs/main", kCommit);
    options_.hf_cache = folder_ / "hf";
    setenv("XDG_CACHE_HOME", folder_.c_str(), 1);
  }
  ~HfCache() override { unsetenv("XDG_CACHE_HOME"); }
  void write(const std::string& name, const std::string& content) {
    fs::create_directories(model_ / "blobs");
    fs::create_directories(snapshot());
    write_file(model_ / "blobs" / ("blob-" + name), content);
    fs::remove(snapshot() / name);
    fs::create_symlink("../../blobs/blob-" + name, snapshot() / name);
  }
  [[nodiscard]] fs::path snapshot() const { return model_ / "snapshots" / kCommit; }
  fs::path resolve() { return resolve_checkpoint("tiny.en", options_); }

  static constexpr const char* kCommit = "87c7102498dcde7456f24cfd30239ca606ed9063";
  const fs::path model_ = folder_ / "hf/models--openai--whisper-tiny.en";
};

TEST_F(HfCache, IsUsedWhenItHasTheModel) {
  EXPECT_EQ(resolve(), snapshot());
  options_.revision = kCommit;
  EXPECT_EQ(resolve(), snapshot());
  EXPECT_THAT(hub_.requests(), IsEmpty());
  options_.revision = "main";
  options_.offline = true;
  EXPECT_EQ(resolve(), snapshot());
}

TEST_F(HfCache, IsNotUsedWhenSomethingIsMissing) {
  options_.offline = true;
  const auto refused = [&] {
    EXPECT_THAT([&] { (void)resolve(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("openai/whisper-tiny.en is neither in"),
                                           HasSubstr("HF_HUB_OFFLINE is set"))));
  };
  fs::remove(model_ / "blobs/blob-model.safetensors");  // its link stays
  refused();
  write("model.safetensors.index.json",
        R"({"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}})");
  write("model-1-of-2.safetensors", "first");
  refused();
  write("model-2-of-2.safetensors", "second");
  EXPECT_EQ(resolve(), snapshot());
  fs::remove(snapshot() / "tokenizer.json");
  refused();
  EXPECT_THAT(hub_.requests(), IsEmpty());
  options_.offline = false;
  EXPECT_EQ(content_of(resolve() / "model.safetensors"), weights_);
}

TEST_F(HfCache, DoesNotLeadElsewhere) {
  options_.offline = true;
  write_file(model_ / "refs/main", "../../../");
  EXPECT_THROW((void)resolve(), Error);
  EXPECT_THAT([&] { pull("tiny.en", folder_ / "out", options_); },
              ThrowsMessage<Error>(HasSubstr("HF_HUB_OFFLINE is set, so no connection is made")));
}

TEST(HubOptions, FindTheCacheAsHuggingfaceHubDoes) {
  const std::map<std::string, std::string> all = {{"HF_HUB_CACHE", "/a"},
                                                  {"HUGGINGFACE_HUB_CACHE", "/b"},
                                                  {"HF_HOME", "~/c"},
                                                  {"XDG_CACHE_HOME", "/d"},
                                                  {"HOME", "/e"}};
  const std::string home = std::getenv("HOME");
  for (const auto& [name, value] : all) setenv(name.c_str(), value.c_str(), 1);
  for (const auto& [name, expected] :
       {std::pair("HF_HUB_CACHE", "/a"), std::pair("HUGGINGFACE_HUB_CACHE", "/b"),
        std::pair("HF_HOME", "/e/c/hub"), std::pair("XDG_CACHE_HOME", "/d/huggingface/hub"),
        std::pair("HOME", "/e/.cache/huggingface/hub")}) {
    EXPECT_EQ(hub_options_from_environment().hf_cache, expected);
    unsetenv(name);
  }
  EXPECT_EQ(hub_options_from_environment().hf_cache, "");
  setenv("HOME", home.c_str(), 1);
}

TEST(HubOptions, KnowWhenToStayOffline) {
  for (const auto& [value, offline] : {std::pair("1", true), std::pair("yes", true),
                                       std::pair("0", false), std::pair("", false)}) {
    setenv("HF_HUB_OFFLINE", value, 1);
    EXPECT_EQ(hub_options_from_environment().offline, offline) << value;
  }
  unsetenv("HF_HUB_OFFLINE");
}

TEST(HubOptions, ComeFromTheEnvironment) {
  setenv("HF_ENDPOINT", "https://mirror.example", 1);
  setenv("HF_TOKEN", "secret", 1);
  EXPECT_EQ(hub_options_from_environment().endpoint, "https://mirror.example");
  EXPECT_EQ(hub_options_from_environment().token, "secret");
  unsetenv("HF_ENDPOINT");
  unsetenv("HF_TOKEN");
  EXPECT_EQ(hub_options_from_environment().endpoint, "https://huggingface.co");
  EXPECT_EQ(hub_options_from_environment().token, "");
}

}  // namespace
}  // namespace whisper_s4y
