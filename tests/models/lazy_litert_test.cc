// LiteRT is loaded when it computes something, and not before.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <vector>

#include "config/front_end.h"
#include "models/random_checkpoint.h"
#include "models/write_bundle.h"
#include "runtime/whisper_model.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

bool litert_is_loaded() { return ::dlopen("libLiteRt.so", RTLD_NOW | RTLD_NOLOAD) != nullptr; }

TEST(LiteRt, IsLoadedWhenItComputes) {
  if (litert_is_loaded()) GTEST_SKIP() << "this build links LiteRT";
  const TemporaryFolder folder;
  const auto path = folder / "model.tflite";
  write_bundle(random_checkpoint(small_config()), path);
  WhisperModel ours(path, RuntimeOptions{.threads = 1, .use_cache = false});
  std::vector<float> logmel(size_t{80} * kWindowFrames);
  ours.features(std::vector<float>(kWindowSamples), logmel);
  ours.encode(logmel);
  (void)ours.decode(std::vector{21}, 0);
  EXPECT_FALSE(litert_is_loaded());
  const WhisperModel litert(path,
                            RuntimeOptions{.threads = 1, .use_cache = false, .own_kernels = false});
  EXPECT_TRUE(litert_is_loaded());
}

}  // namespace
}  // namespace whisper_s4y::testing
