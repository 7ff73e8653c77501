// Small files that claim to be huge, or cost much more than they are: refused at once, with little
// memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "export/export_checkpoint.h"
#include "formats/open_checkpoint.h"
#include "formats/tiny_checkpoint.h"
#include "formats/tiny_tflite.h"
#include "formats/torch_writer.h"
#include "support/errors.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using testing::HasSubstr;

constexpr long kMaxKilobytes = 64 * 1024;
constexpr auto kMaxTime = std::chrono::seconds(2);  // "at once", on a busy machine

long peak_kilobytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Opens in a process of its own, whose peak memory counts from the start of this test.
void expect_refused_cheaply(const std::filesystem::path& path, const std::string& expected) {
  SCOPED_TRACE(path.string());
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    const long before = peak_kilobytes();
    const std::string message = message_of([&] { static_cast<void>(open_checkpoint(path)); });
    const std::string answer = std::to_string(peak_kilobytes() - before) + " " + message;
    const ssize_t written = ::write(pipe[1], answer.data(), answer.size());
    ::_exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string answer(4096, '\0');
  const ssize_t size = ::read(pipe[0], answer.data(), answer.size());
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  answer.resize(static_cast<size_t>(size));
  EXPECT_LT(std::chrono::steady_clock::now() - start, kMaxTime);
  EXPECT_THAT(answer, HasSubstr(expected));
#if !defined(__SANITIZE_ADDRESS__)  // its shadow counts as memory, too
  EXPECT_LT(std::stol(answer), kMaxKilobytes) << answer;
#endif
}

class Limits : public testing::Test {
 protected:
  // The side files of a tiny Hugging Face model; tests write its weights.
  void make_folder(const char* format) {
    export_checkpoint(tiny_checkpoint(), folder_.path(), format);
  }
  void expect_refused(const char* file, std::string_view bytes, const std::string& expected) {
    write_file(folder_ / file, bytes);
    expect_refused_cheaply(folder_ / file, expected);
  }
  void expect_refused_pickle(const std::string& value, const std::string& expected) {
    expect_refused("m.pt", zip_of({{"m/data.pkl", "\x80\x02" + value}}), expected);
  }

  TemporaryFolder folder_;
};

TEST_F(Limits, PickleBombs) {
  constexpr size_t kMany = 24 << 20;
  expect_refused_pickle(std::string(kMany, 'N'), "more than 131072 values");
  expect_refused_pickle(std::string(kMany, '('), "more operations than any model");
  expect_refused_pickle(std::string(kMany, ']'), "more than 131072 values");
  std::string doubling = "]q" + std::string(1, '\0');
  for (size_t i = 0; i < kMany / 2; ++i) doubling += "h" + std::string(1, '\0');
  expect_refused_pickle(doubling, "more operations than any model");
  // A list of a list of a list ..., each twice: 2^n values for whoever unfolds it.
  std::string nested = "]";
  for (int i = 0; i < 30; ++i) {
    nested += "q" + std::string(1, static_cast<char>(i)) + "](h" +
              std::string(1, static_cast<char>(i)) + "h" + std::string(1, static_cast<char>(i)) +
              "e";
  }
  expect_refused_pickle(nested + ".", "unfinished value");
  expect_refused_pickle("X" + bytes_of(uint32_t{4'000'000'000}) + "short", "is truncated");
  expect_refused_pickle("c" + std::string(kMany, 'm'), "an endless name");
}

TEST_F(Limits, TensorsLargerThanTheirFile) {
  const auto tensor = [](const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                         int64_t stored) {
    return zip_of(
        {{"m/data.pkl", pickle::document(pickle::dict(
                            {{"a", pickle::tensor(pickle::storage("FloatStorage", "0", stored), 0,
                                                  shape, strides)}}))},
         {"m/data/0", std::string(400, 'x')}});
  };
  expect_refused("a.pt", tensor({50'000, 50'000}, {0, 0}, 100), "does not fit in its storage");
  expect_refused("a.pt", tensor({50'000, 50'000}, {50'000, 1}, 2'500'000'000), "has 400 bytes");
  expect_refused("a.pt", tensor({INT64_MAX, 4}, {4, 1}, 100), "impossible shape");
  expect_refused("a.pt", tensor({100}, {1}, INT64_MAX), "has 400 bytes");
}

TEST_F(Limits, ZipBombs) {
  expect_refused("a.pt", zip_of({{"m/data.pkl", "x", 8, 0, 4'000'000'000}}), "is compressed");
  expect_refused("a.pt", zip_of({{"m/data.pkl", "x", 0, 0, 4'000'000'000}}), "is truncated");
  // An entry inside another.
  std::string inside = zip_of({{"b/data.pkl", "."}});
  inside.resize(inside.find("PK\x01\x02"));
  std::string outer = zip_of({{"a/data.pkl", inside}, {"b/data.pkl", "."}});
  const size_t place = outer.rfind("b/data.pkl") - 4;
  overwrite(outer, place, bytes_of(static_cast<uint32_t>(outer.find(inside))));
  expect_refused("a.pt", outer, "overlap at byte");
}

TEST_F(Limits, SafetensorsHeaders) {
  make_folder("safetensors");
  const auto header = [](uint64_t claimed, std::string_view text) {
    return bytes_of(claimed) + std::string(text);
  };
  expect_refused("model.safetensors", header(10'000'000'000, "{" + std::string(1000, ' ')),
                 "no checkpoint");
  expect_refused("model.safetensors", header(4'000'000'000, "{" + std::string(1000, ' ')),
                 "is said to have 4000000000 bytes");
  std::string many = "{";
  while (many.size() < 4'000'000) {
    many += fmt::format("\"{}\":{{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,0]}},",
                        many.size());
  }
  expect_refused("model.safetensors", header(many.size(), many), "more than 65536 tensors");
  const std::string name = "{\"" + std::string(4'000'000, 'n');
  expect_refused("model.safetensors", header(name.size(), name), "not valid JSON");
  const std::string huge =
      R"({"a":{"dtype":"F32","shape":[50000,50000],"data_offsets":[0,10000000000]}})";
  expect_refused("model.safetensors", header(huge.size(), huge), "bytes of 10.0 GB are there");
}

TEST_F(Limits, SideFiles) {
  make_folder("safetensors");
  const std::string config = read_file(folder_ / "config.json");
  std::string large = config;
  replace_once(large, "\"vocab_size\"", "\"vocab_size\": 1048576, \"x\"");
  write_file(folder_ / "config.json", large);
  expect_refused_cheaply(folder_.path(), "has the shape");
  write_file(folder_ / "config.json", config);
  std::string objects = "[";
  while (objects.size() < 1'000'000) objects += "{},";
  write_file(folder_ / "generation_config.json", "{\"a\":" + objects + "{}]}");
  expect_refused_cheaply(folder_.path(), "no error");
  write_file(
      folder_ / "generation_config.json",
      R"({"suppress_tokens": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}");
  expect_refused_cheaply(folder_.path(), "no error");
  std::filesystem::remove(folder_ / "generation_config.json");
  for (const char* name : {"vocab.json", "merges.txt", "added_tokens.json"}) {
    std::filesystem::remove(folder_ / name);
  }
  std::string added = "{\"added_tokens\":[";
  while (added.size() < 6'000'000) added += "{\"id\":1,\"content\":\"a\"},";
  write_file(folder_ / "tokenizer.json", added);
  expect_refused_cheaply(folder_.path(), "not valid JSON");
  write_file(folder_ / "tokenizer.json", "{\"" + std::string(6'000'000, 'n'));
  expect_refused_cheaply(folder_.path(), "not valid JSON");
  write_file(folder_ / "tokenizer.json", std::string(7'000'000, ' '));
  expect_refused_cheaply(folder_.path(), "more than the");
}

TEST_F(Limits, CTranslate2Claims) {
  const auto file = [](uint32_t variables, const std::string& rest) {
    return bytes_of(uint32_t{6}) + bytes_of(uint16_t{12}) + std::string("WhisperSpec\0", 12) +
           bytes_of(uint32_t{3}) + bytes_of(variables) + rest;
  };
  const auto text = [](const std::string& name) {
    return bytes_of(static_cast<uint16_t>(name.size() + 1)) + name + '\0';
  };
  expect_refused("model.bin", file(~uint32_t{0}, std::string(1000, 'x')), "more than any model");
  const std::string shape = text("a") + "\2" + bytes_of(uint32_t{50'000}) +
                            bytes_of(uint32_t{50'000}) + std::string(1, '\0');
  expect_refused("model.bin", file(1, shape + bytes_of(uint32_t{1'410'065'408})), "needs");
  const std::string one = text("a") + std::string(2, '\0') + bytes_of(uint32_t{4}) + "1234";
  expect_refused("model.bin", file(1, one + bytes_of(~uint32_t{0})), "more than any model");
  expect_refused(
      "model.bin",
      file(1, one + bytes_of(uint32_t{2}) + text("b") + text("c") + text("c") + text("b")),
      "b stands for c, which is not there");
  expect_refused("model.bin", file(1, one + bytes_of(uint32_t{1}) + text("a") + text("a")),
                 "appears twice");
  std::string aliases = one + bytes_of(uint32_t{65'536});
  for (int i = 0; i < 65'536; ++i) aliases += text("x" + std::to_string(i)) + text("a");
  expect_refused("model.bin", file(1, aliases), "has no variable");
}

TEST_F(Limits, GgmlClaims) {
  make_folder("ggml");
  const std::string good = read_file(folder_ / "ggml-tiny.bin");
  const size_t count = 48 + 8 + 80 * 201 * 4;
  std::string small = good.substr(0, count + 1024);
  overwrite(small, 4, bytes_of(int32_t{1 << 20}));
  overwrite(small, count, bytes_of(int32_t{1 << 20}));
  expect_refused("m.bin", small, "1048576 tokens at byte");
  overwrite(small, count, bytes_of(int32_t{1}));
  expect_refused("m.bin", small, "the special tokens cannot be told");
  std::string filters = good.substr(0, 1024);
  overwrite(filters, 52, bytes_of(int32_t{1 << 16}));
  expect_refused("m.bin", filters, "is truncated");
  std::string tensor = good;
  const size_t name = tensor.find("encoder.conv1.weight");
  overwrite(tensor, name - 8, bytes_of(int32_t{50'000}) + bytes_of(int32_t{50'000}));
  expect_refused("m.bin", tensor, "is truncated");
}

TEST_F(Limits, TfliteClaims) {
  std::string bytes = tiny_tflite(tiny_checkpoint());
  const size_t size = bytes.find("\"vocab_size\":") + 13;
  overwrite(bytes, size, "9999");
  expect_refused("m.tflite", bytes, "vocab");
  // 64 kB of zero bytes behind the identifier; every offset in it is 0.
  expect_refused("m.tflite", std::string("\x10\0\0\0TFL3", 8) + std::string(65'536, '\0'),
                 "has TFLite version 0");
}

TEST_F(Limits, LinksOutOfTheFolder) {
  make_folder("safetensors");
  const TemporaryFolder elsewhere;
  for (const std::string& name : folder_.names()) {  // as `ln -s elsewhere/* .` makes them
    std::filesystem::rename(folder_ / name, elsewhere / name);
    std::filesystem::create_symlink(elsewhere / name, folder_ / name);
  }
  expect_same_model(*open_checkpoint(folder_.path()), tiny_checkpoint());
  if (::geteuid() == 0) {  // only root can give files away
    constexpr uid_t kOther = 12'345;
    for (const std::string name : {"config.json", "tokenizer.json", "model.safetensors"}) {
      const auto link = folder_ / name;
      ASSERT_EQ(::lchown(link.c_str(), kOther, kOther), 0);
      constexpr const char* kMessage = "is another user's link out of its folder";
      if (name == "tokenizer.json") {  // others have the vocabulary too
        EXPECT_THAT(open_checkpoint(folder_.path())->warnings,
                    testing::ElementsAre(testing::HasSubstr(kMessage)));
      } else {
        expect_refused_cheaply(folder_.path(), kMessage);
      }
      ASSERT_EQ(::lchown((elsewhere / name).c_str(), kOther, kOther), 0);
      expect_same_model(*open_checkpoint(folder_.path()), tiny_checkpoint());
    }
  }
  std::filesystem::remove(elsewhere / "config.json");
  expect_refused_cheaply(folder_.path(), "which is not there");
  std::filesystem::remove(folder_ / "config.json");
  std::filesystem::create_symlink("config.json", folder_ / "config.json");
  expect_refused_cheaply(folder_.path(), "Too many levels of symbolic links");
}

TEST_F(Limits, LinksWithinAModel) {
  // As the cache of the Hugging Face hub has them.
  const auto model = folder_ / "models--o--n";
  const auto snapshot = model / "snapshots" / "abc";
  std::filesystem::create_directories(snapshot);
  std::filesystem::create_directories(model / "blobs");
  export_checkpoint(tiny_checkpoint(), folder_ / "files", "safetensors");
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "files")) {
    const auto name = file.path().filename();
    std::filesystem::rename(file.path(), model / "blobs" / ("hash-" + name.string()));
    std::filesystem::create_symlink("../../blobs/hash-" + name.string(), snapshot / name);
  }
  expect_same_model(*open_checkpoint(snapshot), tiny_checkpoint());
  expect_same_model(*open_checkpoint(snapshot / "model.safetensors"), tiny_checkpoint());
}

}  // namespace
}  // namespace whisper_s4y
