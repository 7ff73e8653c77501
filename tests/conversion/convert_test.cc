#include "whisper_s4y/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/small_model.h"
#include "support/errors.h"
#include "support/files.h"
#include "whisper_s4y/checkpoint.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConvertTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string checkpoint_ = small_checkpoint();
};

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return {};
}

TEST_F(ConvertTest, SaysWhatItWrote) {
  uint64_t last_total = 0;
  const ConvertResult result = convert(checkpoint_, folder_ / "m.tflite", {},
                                       {.on_progress = [&](uint64_t done, uint64_t total) {
                                         EXPECT_LE(done, total);
                                         last_total = total;
                                       }});
  EXPECT_EQ(result.file_size, std::filesystem::file_size(folder_ / "m.tflite"));
  EXPECT_EQ(last_total, result.file_size);
  EXPECT_EQ(result.checkpoint_format, "safetensors");
  EXPECT_EQ(result.name, std::filesystem::path(checkpoint_).filename());
  EXPECT_EQ(result.encoder, "fp32");
  EXPECT_EQ(result.model_hash.size(), 32U);
}

TEST_F(ConvertTest, GivesTheSameBytesInMemory) {
  for (const std::string& part : part_names()) {
    ConvertOptions options;
    options.part = part;
    options.quantize = "int8";
    convert(checkpoint_, folder_ / "m.tflite", options);
    const std::vector<std::byte> bytes = convert_to_memory(checkpoint_, options);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_TRUE(text == read_file(folder_ / "m.tflite")) << part;
  }
}

TEST_F(ConvertTest, LeavesNothingWhenCancelled) {
  // At every time at which it asks.
  for (int calls = 0;; ++calls) {
    int asked = 0;
    const ConvertCallbacks callbacks{.cancelled = [&] { return asked++ == calls; }};
    const ErrorCode code =
        code_of([&] { convert(checkpoint_, folder_ / "m.tflite", {}, callbacks); });
    if (asked <= calls) break;  // it came through
    EXPECT_EQ(code, ErrorCode::cancelled) << calls;
    EXPECT_THAT(folder_.names(), IsEmpty()) << calls;
    ASSERT_LT(calls, 1000);
  }
  EXPECT_THAT(folder_.names(), ElementsAre("m.tflite"));
}

TEST_F(ConvertTest, LetsThroughWhatACallbackThrows) {
  const ConvertCallbacks callbacks{.on_progress = [](uint64_t, uint64_t) { throw 17; }};
  EXPECT_THROW(convert(checkpoint_, folder_ / "m.tflite", {}, callbacks), int);
  EXPECT_THAT(folder_.names(), IsEmpty());
}

struct BadOption {
  std::function<void(ConvertOptions&)> set;
  std::string message;
};

TEST_F(ConvertTest, RefusesImpossibleOptionsBeforeAnythingIsRead) {
  const std::vector<BadOption> cases = {
      {[](auto& o) { o.quantize = "int7"; }, "int7"},
      {[](auto& o) { o.encoder_quantize = "mixed"; }, "mixed"},
      {[](auto& o) { o.part = "head"; }, "head"},
      {[](auto& o) { o.compat = "1.0"; }, "1.0"},
      {[](auto& o) { o.task = "sing"; }, "sing"},
      {[](auto& o) { o.language = "Klingon"; }, "Klingon"},
      {[](auto& o) { o.max_length = 0; }, "max_length"},
      {[](auto& o) { o.beams = 1000; }, "beams"},
      {[](auto& o) { o.prefill_tokens = -1; }, "prefill_tokens"},
      {[](auto& o) { o.quantize = "int8", o.quantize_recipe = "r.json"; }, "together"},
      {[](auto& o) { o.part = "encoder", o.language = "de"; }, "no prompt"},
      {[](auto& o) { o.part = "encoder", o.text_strings = false; }, "text_strings"},
  };
  for (const BadOption& bad : cases) {
    ConvertOptions options;
    bad.set(options);
    const auto action = [&] { convert("not/there", folder_ / "m.tflite", options); };
    EXPECT_THAT(message_of(action), HasSubstr(bad.message));
    EXPECT_EQ(code_of(action), ErrorCode::invalid_argument) << bad.message;
  }
}

TEST_F(ConvertTest, TellsErrorsApart) {
  const auto attempt = [&](const std::string& checkpoint, const std::filesystem::path& output) {
    return code_of([&] { convert(checkpoint, output); });
  };
  EXPECT_EQ(attempt("no such thing", folder_ / "m.tflite"), ErrorCode::not_found);
  EXPECT_EQ(attempt(checkpoint_, folder_ / "missing" / "m.tflite"), ErrorCode::io);
  std::filesystem::copy(checkpoint_, folder_ / "damaged");
  write_file(folder_ / "damaged" / "model.safetensors", "nonsense");
  EXPECT_EQ(attempt(folder_.file("damaged"), folder_ / "m.tflite"), ErrorCode::invalid_file);
  EXPECT_THAT(folder_.names(), ElementsAre("damaged"));
}

TEST_F(ConvertTest, ExportsIntoEveryFormat) {
  for (const std::string& format : export_formats()) {
    if (format == "openai") continue;  // has the standard vocabulary only
    const ExportResult result = export_checkpoint(checkpoint_, folder_ / format, format);
    EXPECT_EQ(result.checkpoint_format, "safetensors");
    const ConvertResult again = convert((folder_ / format).string(), folder_ / "m.tflite");
    EXPECT_EQ(again.checkpoint_format, format);
  }
}

}  // namespace
}  // namespace whisper_s4y
