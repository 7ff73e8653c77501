// Sounds at the edge of what there is: no output may hold NaN or infinity, whatever the number
// format of the weights, and rows may be as long as the table of positions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <random>

#include "checkpoint/checkpoint.h"
#include "config/front_end.h"
#include "formats/open_checkpoint.h"
#include "models/random_checkpoint.h"
#include "models/recipe_search.h"
#include "models/runner.h"
#include "models/write_bundle.h"
#include "support/files.h"

namespace whisper_s4y::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Lt;

Numbers sound(const std::function<float(int)>& sample) {
  Numbers audio(kWindowSamples);
  for (int i = 0; i < kWindowSamples; ++i) audio[static_cast<size_t>(i)] = sample(i);
  return audio;
}

std::map<std::string, Numbers> sounds() {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> noise(-1.0F, 1.0F);
  return {{"zeros", sound([](int) { return 0.0F; })},
          {"silence", sound([&](int) { return 1e-5F * noise(random); })},
          {"full-scale noise", sound([&](int) { return noise(random); })},
          {"square wave", sound([](int i) { return i / 40 % 2 == 0 ? 1.0F : -1.0F; })},
          {"maximal amplitude", sound([](int) { return 1.0F; })},
          // 16-bit numbers that nobody divided by 32768.
          {"not normalised", sound([&](int) { return 32767.0F * noise(random); })}};
}

void expect_finite(const Outputs& outputs, const std::string& key) {
  for (const auto& [name, numbers] : outputs.all_numbers()) {
    EXPECT_TRUE(std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); }))
        << key << " gives " << name;
  }
}

class Robustness : public ::testing::TestWithParam<const char*> {
 protected:
  void convert_it(const Checkpoint& checkpoint) {
    BundleOptions options;
    options.recipe = recipe_of_name(GetParam(), checkpoint);
    write_bundle(checkpoint, folder_ / "model.tflite", options);
  }

  /// Every signature of the model on every sound.
  void listen_to_everything(const Checkpoint& checkpoint) {
    const GenerationConfig& generation = checkpoint.info.generation;
    Runner runner(folder_ / "model.tflite",
                  {"features", "encode", "cross", "step", "prefill", "step_beam", "align"});
    const auto run = [&](const std::string& key, const Inputs& inputs) {
      Outputs outputs = runner.run(key, inputs);
      expect_finite(outputs, key);
      return outputs;
    };
    for (const auto& [name, audio] : sounds()) {
      SCOPED_TRACE(name);
      const Outputs features = run("features", {{"normalized_audio", audio}});
      const Outputs encoded = run("encode", {{"input_features", features.numbers("logmel")}});
      const Outputs cross =
          run("cross", {{"last_hidden_state", encoded.numbers("last_hidden_state")}});
      Inputs inputs(cross.all_numbers().begin(), cross.all_numbers().end());
      inputs["token"] = Integers{generation.decoder_start_token_id};
      inputs["position"] = Integers{0};
      inputs["length"] = Integers{1};
      inputs["tokens"] = Integers(64, generation.decoder_start_token_id);
      const auto without = [&](std::vector<std::string> names) {
        Inputs rest = inputs;
        for (const std::string& unused : names) rest.erase(unused);
        return rest;
      };
      run("step", without({"length", "tokens"}));
      run("prefill", without({"token"}));
      run("align", without({"token", "length"}));
      inputs["tokens"] = Integers(5, generation.decoder_start_token_id);
      inputs["position"] = Integers{checkpoint.info.config.max_target_positions - 1};
      run("step", without({"length", "tokens"}));
      run("step_beam", without({"token", "length"}));
    }
  }

  /// `step` at every position there is, on the caches of those before it: numbers all the way.
  void step_to_the_end(const Checkpoint& checkpoint) {
    Runner runner(folder_ / "model.tflite", {"pcm_encode", "cross", "step"});
    const Outputs encoded =
        runner.run("pcm_encode", {{"normalized_audio", sounds().at("full-scale noise")}});
    const Outputs cross =
        runner.run("cross", {{"last_hidden_state", encoded.numbers("last_hidden_state")}});
    Inputs inputs(cross.all_numbers().begin(), cross.all_numbers().end());
    for (int i = 0; i < checkpoint.info.config.max_target_positions; ++i) {
      SCOPED_TRACE(i);
      inputs["token"] = Integers{i * 7 % checkpoint.info.generation.eos_token_id};
      inputs["position"] = Integers{i};
      const Outputs outputs = runner.run("step", inputs);
      expect_finite(outputs, "step");
      for (const auto& [name, values] : outputs.all_numbers()) {
        if (name.starts_with("new_")) inputs[name.substr(4)] = values;
      }
    }
  }

  /// Whole rows from sounds that are no speech.
  void decode_to_the_end(const Checkpoint& checkpoint, const std::vector<std::string>& which) {
    const GenerationConfig& generation = checkpoint.info.generation;
    Runner runner(folder_ / "model.tflite", {"transcribe"});
    const auto all = sounds();
    for (const std::string& name : which) {
      SCOPED_TRACE(name);
      // As much previous text as there may be, so that the row reaches the last position.
      Integers prompt(kPromptCapacity, 5);
      prompt[0] = generation.prev_sot_token_id;
      prompt[kPromptCapacity - 1] = generation.decoder_start_token_id;
      const Outputs outputs =
          runner.run("transcribe", {{"normalized_audio", all.at(name)},
                                    {"prompt_tokens", prompt},
                                    {"prompt_length", Integers{kPromptCapacity}},
                                    {"max_length", Integers{448}}});
      const Integers& tokens = outputs.integers("tokens");
      EXPECT_THAT(tokens, Each(AllOf(Ge(0), Lt(checkpoint.info.config.vocab_size))));
      EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), tokens.begin()));
    }
  }

  TemporaryFolder folder_;
};

TEST_P(Robustness, RandomModel) {
  const Checkpoint checkpoint = random_checkpoint(small_config(32, 2, 2));
  convert_it(checkpoint);
  listen_to_everything(checkpoint);
  step_to_the_end(checkpoint);
  decode_to_the_end(checkpoint, {"zeros", "full-scale noise", "square wave", "maximal amplitude"});
}

// Without fp16: the checkpoint's half floats are the same numbers there.
class GenuineRobustness : public Robustness {};

TEST_P(GenuineRobustness, TinyEn) {
  const auto path = genuine_checkpoint("tiny.en/hf");
  if (path.empty()) GTEST_SKIP() << "needs WHISPER_S4Y_CHECKPOINTS";
  const auto checkpoint = open_checkpoint(path);
  convert_it(*checkpoint);
  listen_to_everything(*checkpoint);
  step_to_the_end(*checkpoint);
  decode_to_the_end(*checkpoint, {"full-scale noise"});
}

const auto kName = [](const auto& info) { return std::string(info.param); };
INSTANTIATE_TEST_SUITE_P(Quantized, Robustness,
                         ::testing::Values("none", "fp16", "int8", "int4", "mixed"), kName);
INSTANTIATE_TEST_SUITE_P(Quantized, GenuineRobustness,
                         ::testing::Values("none", "int8", "int4", "mixed"), kName);

}  // namespace
}  // namespace whisper_s4y::testing
