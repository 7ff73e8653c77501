#include "verify/check_signatures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/ops.h"
#include "models/random_checkpoint.h"
#include "models/write_bundle.h"
#include "support/errors.h"
#include "support/files.h"
#include "tflite/metadata_names.h"
#include "tflite/writer.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RuntimeOptions without_cache() {
  RuntimeOptions options;
  options.use_cache = false;
  return options;
}

/// logmel = log(x - 1), which is NaN or minus infinity for a sound from -1 to 1.
void write_broken(const std::filesystem::path& path, const std::string& key) {
  Module module;
  Graph& g = module.add_graph(key);
  const Value sound = g.input("normalized_audio", DType::f32, {1600});
  module.add_signature(key, g, {{"logmel", log(g, sub(g, sound, g.constant(1.0F)))}});
  write_tflite(module, path);
}

TEST(CheckSignatures, ANewBundlePasses) {
  const TemporaryFolder folder;
  write_bundle(testing::random_checkpoint(testing::small_config()), folder / "m.tflite");
  const auto file = std::make_shared<TfliteFile>(folder / "m.tflite");
  const std::vector<std::string> keys = checkable_signatures(*file);
  EXPECT_THAT(keys, AllOf(Contains("step"), Contains("decode"), Contains("encode")));
  EXPECT_THAT(keys, Contains("transcribe"));
  EXPECT_NO_THROW(check_signatures(file, keys, without_cache()));
  EXPECT_NO_THROW(check_quickly(std::make_shared<TfliteFile>(folder / "m.tflite")));
}

TEST(CheckSignatures, StringsAreLeftOut) {
  const TemporaryFolder folder;
  BundleOptions options;
  options.text_strings = true;
  options.signatures = {"features", "transcribe"};
  write_bundle(testing::random_checkpoint(testing::small_config()), folder / "m.tflite", options);
  const auto file = std::make_shared<TfliteFile>(folder / "m.tflite");
  EXPECT_THAT(checkable_signatures(*file), ElementsAre("features"));
  EXPECT_NO_THROW(check_quickly(file));
}

TEST(CheckPromises, ABundleHasItsMetadata) {
  const TemporaryFolder folder;
  write_bundle(testing::random_checkpoint(testing::small_config()), folder / "m.tflite");
  std::string bytes = read_file(folder / "m.tflite");
  bytes.replace(bytes.find(kModelMetadata), 1, "x");
  write_file(folder / "m.tflite", bytes);
  EXPECT_THAT(message_of([&] { check_promises(TfliteFile(folder / "m.tflite")); }),
              HasSubstr("m.tflite has the signatures of a bundle but not the metadata"));
  write_broken(folder / "part.tflite", "serving_default");  // a part alone may have none
  EXPECT_NO_THROW(check_promises(TfliteFile(folder / "part.tflite")));
}

TEST(CheckSignatures, NamesTheTensorThatIsNotFinite) {
  const TemporaryFolder folder;
  write_broken(folder / "m.tflite", "features");
  const auto file = std::make_shared<TfliteFile>(folder / "m.tflite");
  EXPECT_THAT(message_of([&] { check_signatures(file, {"features"}, without_cache()); }),
              AllOf(HasSubstr("m.tflite"), HasSubstr("logmel"), HasSubstr("features")));
}

TEST(CheckQuickly, TriesTheFrontEndOfABundleAndOfAPart) {
  const TemporaryFolder folder;
  for (const char* key : {"features", "serving_default"}) {
    write_broken(folder / "m.tflite", key);
    EXPECT_THAT(
        message_of([&] { check_quickly(std::make_shared<TfliteFile>(folder / "m.tflite")); }),
        HasSubstr(key));
  }
}

TEST(CheckQuickly, RefusesATruncatedFile) {
  const TemporaryFolder folder;
  write_bundle(testing::random_checkpoint(testing::small_config()), folder / "m.tflite");
  std::filesystem::resize_file(folder / "m.tflite", 100000);
  EXPECT_THROW(check_quickly(std::make_shared<TfliteFile>(folder / "m.tflite")), Error);
}

}  // namespace
}  // namespace whisper_s4y
