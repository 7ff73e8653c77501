// Times of a model's signatures, of the loop in the graph and of the logit rules.
//
//   model_bench --model=tiny.en-int8.tflite --model=base-int8.tflite [--audio=jfk.flac]
//               [--benchmark_filter=step] [--benchmark_...]
//   model_bench --model=base-int8.tflite --audio=jfk.flac --profile=step [--threads=1]
//
// Each model is loaded once for every number of threads. The decoder's signatures run on what the
// encoder makes of the recording, after a prompt and at positions as in a transcription.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/fail.h"
#include "config/front_end.h"
#include "decoding/logit_math.h"
#include "decoding/logit_rules.h"
#include "runtime/litert_model.h"
#include "runtime/whisper_model.h"
#include "tflite/model_metadata.h"
#include "tokenizer/tokenizer.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kPosition = 40;  // where single steps are timed, as deep as an ordinary sentence

/// Milliseconds that passed, and those that the processors spent on this process.
struct Cost {
  double wall = 0;
  double cpu = 0;
};

template <typename Work>
Cost cost_of(const Work& work) {
  const std::clock_t cpu_start = std::clock();
  const auto start = Clock::now();
  work();
  return {std::chrono::duration<double, std::milli>(Clock::now() - start).count(),
          1000.0 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The signatures of one model with memory of their own for every tensor. Outputs of one are inputs
/// of the next by name, and the caches are updated in place.
class Signatures {
 public:
  Signatures(const fs::path& path, int threads, std::vector<std::string> keys, bool profile)
      : model_(path, {.threads = threads, .profile = profile}, keys) {
    for (const std::string& key : keys) {
      LiteRtSignature& signature = model_.signature(key);
      for (const TensorInfo& tensor : signature.inputs()) {
        signature.bind_input(tensor.name, buffer(tensor.name, tensor));
      }
      for (const TensorInfo& tensor : signature.outputs()) {
        const std::string_view name = tensor.name;
        const std::string_view cache = name.starts_with("new_") ? name.substr(4) : name;
        signature.bind_output(tensor.name, buffer(cache, tensor));
      }
    }
  }

  void run(std::string_view key) { model_.signature(key).run(); }
  [[nodiscard]] const TfliteFile& file() const { return model_.file(); }
  [[nodiscard]] std::string profile_summary() { return model_.profile_summary(); }
  [[nodiscard]] LiteRtSignature& signature(std::string_view key) { return model_.signature(key); }

  template <typename T>
  [[nodiscard]] std::span<T> tensor(std::string_view name, std::string_view key) {
    LiteRtSignature& owner = model_.signature(key);
    return buffer(name, owner.has_input(name) ? owner.input(name) : owner.output(name)).as<T>();
  }

 private:
  // What has the same name but another size, as the caches of one and of several hypotheses, are
  // different things.
  AlignedBuffer& buffer(std::string_view name, const TensorInfo& tensor) {
    std::string_view shared = name;
    if (shared == "logmel") shared = "input_features";
    if (shared == "encoder_hidden_states") shared = "last_hidden_state";
    auto& found = buffers_[{std::string(shared), tensor.bytes()}];
    if (found.size() == 0) found = AlignedBuffer(tensor);
    return found;
  }

  LiteRtModel model_;
  std::map<std::pair<std::string, size_t>, AlignedBuffer> buffers_;
};

struct Subject {
  fs::path path;
  std::string name;
  std::vector<float> audio;  // one window
};

/// The prompt of an English transcription without timestamps.
std::vector<int> english_prompt(const GenerationConfig& generation) {
  std::vector<int> prompt{generation.decoder_start_token_id};
  if (generation.is_multilingual) {
    prompt.push_back(generation.language_token("en"));
    prompt.push_back(generation.transcribe_token_id);
  }
  prompt.push_back(generation.no_timestamps_token_id);
  return prompt;
}

/// A model with everything computed that the timed signatures read.
std::unique_ptr<Signatures> prepared(const Subject& subject, int threads,
                                     const std::string& further, bool profile = false) {
  const std::vector<std::string> keys{"features", "encode", "cross", "step", further};
  auto signatures = std::make_unique<Signatures>(subject.path, threads, keys, profile);
  std::ranges::copy(subject.audio,
                    signatures->tensor<float>("normalized_audio", "features").begin());
  for (const char* key : {"features", "encode", "cross"}) signatures->run(key);
  return signatures;
}

/// Gives the small inputs of a signature ordinary values.
void fill_inputs(Signatures& signatures, const std::string& key) {
  const LiteRtSignature& signature = signatures.signature(key);
  if (signature.has_input("position")) {
    signatures.tensor<int32_t>("position", key)[0] = kPosition;
  }
  if (signature.has_input("length")) {
    const auto tokens = signatures.tensor<int32_t>("tokens", key);
    signatures.tensor<int32_t>("length", key)[0] = static_cast<int32_t>(tokens.size());
  }
}

void run_signature(benchmark::State& state, const Subject& subject, const std::string& key,
                   int threads) {
  const auto signatures = prepared(subject, threads, key);
  fill_inputs(*signatures, key);
  signatures->run(key);
  for (auto _ : state) signatures->run(key);
}

/// Prints LiteRT's table of times per op.
void print_profile(const Subject& subject, const std::string& key, int threads) {
  constexpr int kRuns = 20;
  const auto signatures = prepared(subject, threads, key, true);
  fill_inputs(*signatures, key);
  signatures->run(key);
  (void)signatures->profile_summary();
  for (int i = 0; i < kRuns; ++i) signatures->run(key);
  fmt::print("{}, {}, {} threads\n{}\n", subject.name, key, threads, signatures->profile_summary());
}

/// Time per token of `decode`, and of `step` in the same minute: what the loop in the graph costs.
/// Both the time to begin (cross keys and values, the prompt) and the noise cancel out: a short and
/// a long run and as many steps are timed in turn.
void compare_loop(benchmark::State& state, const Subject& subject, int threads) {
  const auto signatures = prepared(subject, threads, "decode");
  const ModelInfo info = read_model_info(signatures->file());
  const std::vector<int> prompt = english_prompt(info.generation);
  const auto row = signatures->tensor<int32_t>("prompt_tokens", "decode");
  std::ranges::fill(row, info.generation.eos_token_id);
  std::ranges::copy(prompt, row.begin());
  signatures->tensor<int32_t>("prompt_length", "decode")[0] = static_cast<int32_t>(prompt.size());
  const auto decode = [&](int max_length) {
    signatures->tensor<int32_t>("max_length", "decode")[0] = max_length;
    return cost_of([&] { signatures->run("decode"); });
  };
  decode(info.config.max_target_positions);
  const auto tokens = signatures->tensor<int32_t>("tokens", "decode");
  const auto end = std::find(tokens.begin() + static_cast<ptrdiff_t>(prompt.size()), tokens.end(),
                             info.generation.eos_token_id);
  const auto short_length = static_cast<int>(prompt.size()) + 1;
  const int length = static_cast<int>(end - tokens.begin());
  const int steps = length - short_length;
  if (steps < 8) {
    state.SkipWithError("the recording gives too few tokens");
    return;
  }
  std::vector<double> loops;
  std::vector<double> singles;
  std::vector<double> ratios;
  std::vector<double> cpu_ratios;
  for (auto _ : state) {
    const Cost begin = decode(short_length);
    const Cost whole = decode(length);
    const Cost single = cost_of([&] {
      for (int i = 0; i < steps; ++i) {
        const auto at = static_cast<size_t>(short_length - 1 + i);
        signatures->tensor<int32_t>("token", "step")[0] = tokens[at];
        signatures->tensor<int32_t>("position", "step")[0] = static_cast<int32_t>(at);
        signatures->run("step");
      }
    });
    loops.push_back((whole.wall - begin.wall) / steps);
    singles.push_back(single.wall / steps);
    ratios.push_back((whole.wall - begin.wall) / single.wall);
    cpu_ratios.push_back((whole.cpu - begin.cpu) / single.cpu);
  }
  state.counters["tokens"] = steps;
  state.counters["loop_ms"] = median(loops);
  state.counters["step_ms"] = median(singles);
  state.counters["ratio"] = median(ratios);
  state.counters["cpu_ratio"] = median(cpu_ratios);
}

/// A window up to the keys and values that tokens attend to: by our own kernels, or by `encode` and
/// `cross` on LiteRT.
void run_window(benchmark::State& state, const Subject& subject, int threads, bool own_kernels) {
  WhisperModel model(subject.path, RuntimeOptions{.threads = threads, .own_kernels = own_kernels});
  std::vector<float> logmel(static_cast<size_t>(model.info().config.num_mel_bins) * 3000);
  model.features(subject.audio, logmel);
  model.encode(logmel);
  for (auto _ : state) model.encode(logmel);
}

/// A token as transcriptions decode it: by our own kernels, or by `step` on LiteRT.
void run_token(benchmark::State& state, const Subject& subject, int threads, bool own_kernels) {
  WhisperModel model(subject.path, RuntimeOptions{.threads = threads, .own_kernels = own_kernels});
  std::vector<float> logmel(static_cast<size_t>(model.info().config.num_mel_bins) * 3000);
  model.features(subject.audio, logmel);
  model.encode(logmel);
  const std::vector<int> tokens(kPosition, english_prompt(model.info().generation)[0]);
  model.decode(tokens, 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.decode(std::span(tokens).first(1), kPosition));
  }
}

/// What the decoder's runtime adds to `step_beam`: histories that part and join again.
void run_beams(benchmark::State& state, const Subject& subject, int threads) {
  WhisperModel model(subject.path, RuntimeOptions{.threads = threads});
  std::vector<float> logmel(static_cast<size_t>(model.info().config.num_mel_bins) * 3000);
  model.features(subject.audio, logmel);
  model.encode(logmel);
  const std::vector<int> prompt = english_prompt(model.info().generation);
  model.decode(prompt, 0);
  const int start = static_cast<int>(prompt.size());
  const auto beams = static_cast<size_t>(model.max_beams());
  const std::vector<int> tokens(beams, prompt[0]);
  std::vector<int> parents(beams);
  int position = 0;
  for (auto _ : state) {
    if (position == 0 || position == start + 100) {
      position = start;
      model.start_beams(start);
      std::ranges::fill(parents, 0);
    }
    model.decode_beams(tokens, parents, position);
    ++position;
    // Every hypothesis continues its neighbour now and then.
    for (size_t i = 0; i < beams; ++i) {
      parents[i] = static_cast<int>(position % 3 == 0 ? (i + 1) % beams : i);
    }
  }
}

void run_rules(benchmark::State& state, const Subject& subject) {
  const TfliteFile file(subject.path);
  const ModelInfo info = read_model_info(file);
  const Tokenizer tokenizer(info.vocabulary, info.generation);
  LogitRules rules;
  rules.generation = &info.generation;
  rules.suppressed_tokens = tokenizer.non_speech_tokens();
  std::vector<float> logits(static_cast<size_t>(info.config.vocab_size));
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i * 7919 % 1000) / 100;
  const std::vector<int> sampled{info.generation.timestamp_begin(), 100, 200, 300};
  std::vector<float> row;
  for (auto _ : state) {
    row.assign(logits.begin(), logits.end());
    rules.apply(row, sampled);
    benchmark::DoNotOptimize(argmax(row));
    benchmark::DoNotOptimize(log_sum_exp(row));
  }
}

void register_all(const Subject& subject) {
  const auto add = [&](const std::string& what, auto function) {
    benchmark::RegisterBenchmark(fmt::format("{}/{}", subject.name, what).c_str(), function)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  for (const int threads : {1, 2}) {
    const auto name = [&](std::string_view what) { return fmt::format("{}/t{}", what, threads); };
    for (const std::string key :
         {"features", "encode", "pcm_encode", "cross", "step", "prefill", "step_beam", "align"}) {
      add(name(key), [=](benchmark::State& state) { run_signature(state, subject, key, threads); });
    }
    for (const bool own : {true, false}) {
      add(name(own ? "window" : "window_litert"),
          [=](benchmark::State& state) { run_window(state, subject, threads, own); });
      add(name(own ? "token" : "token_litert"),
          [=](benchmark::State& state) { run_token(state, subject, threads, own); });
    }
    add(name("beams"), [=](benchmark::State& state) { run_beams(state, subject, threads); });
    add(name("loop"), [=](benchmark::State& state) { compare_loop(state, subject, threads); });
  }
  add("rules", [=](benchmark::State& state) { run_rules(state, subject); });
}

/// Takes the options that are ours out of the arguments.
std::vector<std::string> take_option(std::string_view name, std::vector<char*>& arguments) {
  std::vector<std::string> values;
  std::erase_if(arguments, [&](const char* argument) {
    const std::string_view text = argument;
    if (!text.starts_with(name)) return false;
    values.emplace_back(text.substr(name.size()));
    return true;
  });
  return values;
}

int run(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const std::vector<std::string> models = take_option("--model=", arguments);
  const std::vector<std::string> recordings = take_option("--audio=", arguments);
  const std::vector<std::string> profiled = take_option("--profile=", arguments);
  const std::vector<std::string> threads = take_option("--threads=", arguments);
  if (models.empty() || recordings.size() != 1) {
    fail("usage: model_bench --model=FILE.tflite ... --audio=RECORDING [--profile=SIGNATURE]");
  }
  std::vector<float> audio = load_audio(recordings[0]);
  audio.resize(kWindowSamples);
  for (const std::string& model : models) {
    const Subject subject{.path = model, .name = fs::path(model).stem().string(), .audio = audio};
    for (const std::string& key : profiled) {
      print_profile(subject, key, threads.empty() ? 2 : std::stoi(threads[0]));
    }
    if (profiled.empty()) register_all(subject);
  }
  if (!profiled.empty()) return EXIT_SUCCESS;
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return EXIT_FAILURE;
  benchmark::RunSpecifiedBenchmarks();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  try {
    return whisper_s4y::run(argc, argv);
  } catch (const whisper_s4y::Error& error) {
    fmt::print(stderr, "model_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
