// How far the distributions of a converted model are from those of another one, without any
// reference text: token_divergence REFERENCE.tflite MODEL.tflite [--threads N] [--litert] <
// RECORDINGS
//
// RECORDINGS has a line "PATH LANGUAGE" with a tab between for each. REFERENCE (float32) chooses
// the likeliest tokens of the first 30 s, without timestamps; both models are fed these. Writes a
// line of JSON for each recording: its path, the number of tokens, the sum of the Kullback-Leibler
// divergences of MODEL's distributions from REFERENCE's in nats, how often MODEL's likeliest token
// is another one, and the root mean square of the difference of the encoders' outputs as part of
// REFERENCE's. --litert computes MODEL as LiteRT does, with 8-bit activations, instead of by our
// own kernels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/fail.h"
#include "config/front_end.h"
#include "decoding/logit_math.h"
#include "decoding/window_decoder.h"
#include "runtime/whisper_model.h"
#include "verify/compare_models.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

constexpr size_t kMostTokens = 120;

struct Divergence {
  size_t tokens = 0;
  double divergence = 0;  // sum, nats
  size_t changed = 0;
  double encoder = 0;  // root mean square, as part of the reference's
};

std::vector<float> log_softmax(std::span<const float> logits) {
  std::vector<float> row(logits.begin(), logits.end());
  const float normaliser = log_sum_exp(row);
  for (float& value : row) value -= normaliser;
  return row;
}

Divergence compare(WhisperModel& reference, WhisperModel& model, std::vector<float> audio,
                   const std::string& language) {
  audio.resize(kWindowSamples);
  const ModelInfo& info = reference.info();
  std::vector<float> logmel(static_cast<size_t>(info.config.num_mel_bins) * kWindowFrames);
  reference.features(audio, logmel);
  reference.encode(logmel);
  model.encode(logmel);
  Divergence found;
  found.encoder = difference_of(model.last_hidden_state(), reference.last_hidden_state()).relative;

  std::vector<int> fed = sot_sequence(info.generation, language, "transcribe");
  if (info.generation.no_timestamps_token_id >= 0) {
    fed.push_back(info.generation.no_timestamps_token_id);
  }
  int position = 0;
  while (found.tokens < kMostTokens) {
    const std::vector<float> expected = log_softmax(reference.decode(fed, position));
    const std::vector<float> actual = log_softmax(model.decode(fed, position));
    for (size_t i = 0; i < expected.size(); ++i) {
      found.divergence += std::exp(double{expected[i]}) * (double{expected[i]} - double{actual[i]});
    }
    const int likeliest = argmax(expected);
    found.changed += argmax(actual) == likeliest ? 0 : 1;
    ++found.tokens;
    position += static_cast<int>(fed.size());
    if (likeliest == info.generation.eos_token_id) break;
    fed = {likeliest};
  }
  return found;
}

void run(const std::string& reference_path, const std::string& model_path, int threads,
         bool own_kernels) {
  WhisperModel reference(reference_path, {.threads = threads});
  WhisperModel model(model_path, {.threads = threads, .own_kernels = own_kernels});
  for (std::string line; std::getline(std::cin, line);) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) fail("\"{}\" is no path and language with a tab between.", line);
    const std::string path = line.substr(0, tab);
    const Divergence found = compare(reference, model, load_audio(path), line.substr(tab + 1));
    const nlohmann::json answer = {{"path", path},
                                   {"tokens", found.tokens},
                                   {"divergence", found.divergence},
                                   {"changed", found.changed},
                                   {"encoder", found.encoder}};
    std::cout << answer.dump() << std::endl;
  }
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  try {
    std::vector<std::string> models;
    int threads = 0;
    bool own_kernels = true;
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (argument == "--litert") {
        own_kernels = false;
      } else if (argument == "--threads" && i + 1 < argc) {
        threads = std::atoi(argv[++i]);
      } else {
        models.emplace_back(argument);
      }
    }
    if (models.size() != 2) {
      whisper_s4y::fail(
          "usage: token_divergence REFERENCE.tflite MODEL.tflite [--threads N] [--litert] "
          "< RECORDINGS");
    }
    whisper_s4y::run(models[0], models[1], threads, own_kernels);
  } catch (const whisper_s4y::Error& error) {
    fmt::print(stderr, "token_divergence: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
