#include "whisper_s4y/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/small_model.h"
#include "conversion/convert_options.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/contract.h"
#include "whisper_s4y/checkpoint.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(ConvertTest, FitsIntoASize) {
  ConvertOptions options;
  options.target_size = "1GB";
  const ConvertResult halves = convert(checkpoint_, folder_ / "m.tflite", options);
  EXPECT_EQ(halves.decoder, "fp16");
  options.target_size = std::to_string(halves.file_size / 1000 - 1) + " kB";
  EXPECT_LT(convert(checkpoint_, folder_ / "m.tflite", options).file_size, halves.file_size - 1000);
  options.target_size = "1kB";
  EXPECT_THAT(message_of([&] { convert(checkpoint_, folder_ / "m.tflite", options); }),
              HasSubstr("its smallest file has"));
}

TEST(TargetSize, IsANumberAndAUnitInAnyLetters) {
  const auto bytes_of = [](const std::string& size) {
    ConvertOptions options;
    options.target_size = size;
    return target_bytes(options);
  };
  EXPECT_EQ(bytes_of("31MB"), 31'000'000U);
  EXPECT_EQ(bytes_of("31mb"), 31'000'000U);
  EXPECT_EQ(bytes_of("1.5 GiB"), 1'610'612'736U);
  EXPECT_EQ(bytes_of("800Kb"), 800'000U);
  for (const char* bad : {"31", "MB", "31M", "31  MB", "31MBs", "nanMB", "0MB", "1e12GB"}) {
    EXPECT_THAT(message_of([&] { (void)bytes_of(bad); }), HasSubstr("is no size")) << bad;
  }
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
      {[](auto& o) { o.target_size = "40"; }, "\"40\" is no size"},
      {[](auto& o) { o.target_size = "-1MB"; }, "is no size"},
      {[](auto& o) { o.target_size = "40MB", o.quantize = "int8"; }, "together"},
      {[](auto& o) { o.target_size = "40MB", o.decoder_quantize = "int8"; }, "together"},
      {[](auto& o) { o.target_size = "40MB", o.part = "encoder"; }, "only a bundle"},
      {[](auto& o) { o.part = "encoder", o.language = "de"; }, "no prompt"},
      {[](auto& o) { o.part = "encoder", o.text_strings = true; }, "text_strings"},
      {[](auto& o) { o.target = "fridge"; }, "target must be web, android or python"},
      {[](auto& o) { o.part = "encoder", o.target = "web"; }, "encoder has one signature"},
      {[](auto& o) { o.part = "encoder", o.signatures = {"encode"}; }, "one signature"},
      {[](auto& o) { o.signatures = {"encoder"}; }, "signatures must be serving_default, features"},
      {[](auto& o) {
         o.signatures = {"step", "encode", "step"};
       },
       "step is there twice"},
      {[](auto& o) { o.target = "web", o.text_strings = true; }, "no signature transcribe"},
      {[](auto& o) { o.target = "android", o.beams = 3; }, "no signature step_beam"},
      {[](auto& o) { o.signatures = {"step"}, o.prefill_tokens = 3; }, "no signature prefill"},
      {[](auto& o) { o.part = "decoder", o.cache_update = "blend"; }, "no signature step."},
      {[](auto& o) { o.target = "web", o.language = "de"; }, "no signature serving_default"},
  };
  for (const BadOption& bad : cases) {
    ConvertOptions options;
    bad.set(options);
    const auto action = [&] { convert("not/there", folder_ / "m.tflite", options); };
    EXPECT_THAT(message_of(action), HasSubstr(bad.message));
    EXPECT_EQ(code_of(action), ErrorCode::invalid_argument) << bad.message;
  }
}

/// The keys of the bundle, and "text" where it gives strings.
std::vector<std::string> content(const std::string& checkpoint, const ConvertOptions& options) {
  const TemporaryFolder folder;
  convert(checkpoint, folder / "m.tflite", options);
  std::vector<std::string> content;
  for (const SignatureInfo& signature : signatures_of(TfliteFile(folder / "m.tflite"))) {
    content.push_back(signature.key);
    for (const TensorInfo& tensor : signature.outputs) {
      if (tensor.dtype == DType::string) content.push_back(tensor.name);
    }
  }
  return content;
}

TEST_F(ConvertTest, MakesBundlesForHosts) {
  ConvertOptions options;
  const std::vector<std::string> all = content(checkpoint_, options);
  EXPECT_THAT(all, AllOf(Contains("step_beam"), Contains("transcribe"), Not(Contains("text"))));
  options.target = "web";
  EXPECT_THAT(content(checkpoint_, options),
              ElementsAre("features", "encode", "cross", "step", "prefill"));
  options.signatures = {"transcribe"};  // which the host does not say
  EXPECT_THAT(content(checkpoint_, options), ElementsAre("transcribe"));
  options.text_strings = true;
  EXPECT_THAT(content(checkpoint_, options), ElementsAre("transcribe", "text"));

  options = {};
  options.target = "android";
  EXPECT_THAT(content(checkpoint_, options),
              ElementsAre("features", "encode", "cross", "step", "prefill", "transcribe"));
  options.target = "python";
  std::vector<std::string> with_text = all;
  with_text.push_back("text");
  EXPECT_EQ(content(checkpoint_, options), with_text);
  options.text_strings = false;
  EXPECT_EQ(content(checkpoint_, options), all);
}

TEST_F(ConvertTest, ABundleWithoutAllWeightsCanBeDescribed) {
  ConvertOptions options;
  options.signatures = {"features", "encode"};
  convert(checkpoint_, folder_ / "m.tflite", options);
  EXPECT_THAT(describe_file(folder_ / "m.tflite"),
              AllOf(HasSubstr("\"encode\""), Not(HasSubstr("weights_hash"))));
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
