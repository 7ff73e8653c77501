// Runs a bundle on our runtime and writes what comes out for comparison with other interpreters:
//
//   run_window MODEL FOLDER TOKEN...
//
// FOLDER gets normalized_audio.npy (a made sound), logmel.npy, last_hidden_state.npy, and
// logits.npy after each TOKEN.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "common/npy.h"
#include "config/front_end.h"
#include "runtime/whisper_model.h"
#include "verify/test_signal.h"

namespace whisper_s4y {
namespace {

void run_window(const std::filesystem::path& path, const std::filesystem::path& folder,
                const std::vector<int>& tokens) {
  RuntimeOptions options;
  options.use_cache = false;
  WhisperModel model(path, options);
  const ModelConfig& config = model.info().config;
  const int64_t frames = 2 * int64_t{config.max_source_positions};
  const int64_t samples = kWindowSamples;
  const int64_t mels = config.num_mel_bins;

  const std::vector<float> audio = test_signal(kWindowSamples);
  write_npy(folder / "normalized_audio.npy", {{samples}}, audio);
  std::vector<float> logmel(static_cast<size_t>(mels * frames));
  model.features(audio, logmel);
  write_npy(folder / "logmel.npy", {{mels, frames}}, logmel);
  model.encode(logmel);
  write_npy(folder / "last_hidden_state.npy", {{frames / 2, int64_t{config.d_model}}},
            model.last_hidden_state());
  std::vector<float> logits;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto row = model.decode(std::span(tokens).subspan(i, 1), static_cast<int>(i));
    logits.insert(logits.end(), row.begin(), row.end());
  }
  write_npy(folder / "logits.npy",
            {{static_cast<int64_t>(tokens.size()), int64_t{config.vocab_size}}}, logits);
}

}  // namespace
}  // namespace whisper_s4y

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: run_window MODEL FOLDER TOKEN...\n";
    return 2;
  }
  try {
    std::vector<int> tokens;
    for (int i = 3; i < argc; ++i) tokens.push_back(std::stoi(argv[i]));
    whisper_s4y::run_window(argv[1], argv[2], tokens);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
