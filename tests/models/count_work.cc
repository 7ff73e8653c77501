// Does a part of a model's work so many times, for scripts/update-instruction-counts to count its
// instructions:
//
//   count_work targets                        lists what the kernels can be on this processor
//   count_work make FOLDER                    writes int8.tflite and none.tflite, small and random
//   count_work MODEL TARGET SPECTROGRAMS WINDOWS TOKENS
#include <fmt/format.h>
// clang-format off
#include "kernels/targets.h"
#include <hwy/targets.h>
// clang-format on

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/fail.h"
#include "config/front_end.h"
#include "kernels/amx.h"
#include "kernels/vnni.h"
#include "models/random_checkpoint.h"
#include "models/write_bundle.h"
#include "runtime/whisper_model.h"

namespace whisper_s4y::testing {
namespace {

/// The best comes first.
std::vector<int64_t> targets() {
  std::vector<int64_t> targets;
  const int64_t compiled = hwy::SupportedTargets() & ~int64_t{HWY_DISABLED_TARGETS};
  for (int64_t left = compiled; left != 0; left &= left - 1) targets.push_back(left & -left);
  return targets;
}

std::string name_of(int64_t target) {
  const char* more = "";
  if (target == HWY_AVX3 && has_vnni()) more = has_amx() ? "+AMX" : "+VNNI";
  return fmt::format("{}{}", hwy::TargetName(target), more);
}

void use(std::string_view name) {
  for (const int64_t target : targets()) {
    if (name != name_of(target)) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return;
  }
  fail("This processor cannot run {}.", name);
}

void make(const std::filesystem::path& folder) {
  const Checkpoint checkpoint = random_checkpoint(small_config(64, 1, 1));
  for (const char* recipe : {"int8", "none"}) {
    BundleOptions options;
    options.recipe = recipe_of_name(recipe);
    write_bundle(checkpoint, folder / fmt::format("{}.tflite", recipe), options);
  }
}

void work(const std::filesystem::path& path, int spectrograms, int windows, int tokens) {
  WhisperModel model(path, RuntimeOptions{.threads = 1, .use_cache = false});
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> logmel(size_t{80} * kWindowFrames);
  for (float& number : logmel) number = normal(random);
  std::vector<float> audio(kWindowSamples);
  for (float& number : audio) number = 0.1F * normal(random);
  for (int i = 0; i < windows; ++i) model.encode(logmel);
  const std::vector<int> token = {3};
  for (int i = 0; i < tokens; ++i) (void)model.decode(token, i);
  for (int i = 0; i < spectrograms; ++i) model.features(audio, logmel);
}

}  // namespace
}  // namespace whisper_s4y::testing

int main(int argc, char** argv) {
  using namespace whisper_s4y::testing;
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1 && arguments[0] == "targets") {
      for (const int64_t target : targets()) fmt::print("{}\n", name_of(target));
    } else if (arguments.size() == 2 && arguments[0] == "make") {
      make(arguments[1]);
    } else if (arguments.size() == 5) {
      use(arguments[1]);
      const auto times = [&](size_t i) { return std::atoi(arguments[i].c_str()); };
      work(arguments[0], times(2), times(3), times(4));
    } else {
      whisper_s4y::fail(
          "usage: count_work targets | make FOLDER | MODEL TARGET SPECTROGRAMS WINDOWS TOKENS");
    }
  } catch (const whisper_s4y::Error& error) {
    fmt::print(stderr, "count_work: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
