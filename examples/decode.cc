// A decoding loop of your own over the signatures of a model: greedy, the first 30 s of a
// recording. docs/models.md tells what each signature takes and gives.
//
//     decode whisper-tiny.en.tflite talk.mp3
#include <whisper_s4y/audio.h>
#include <whisper_s4y/error.h>
#include <whisper_s4y/model.h>
#include <whisper_s4y/session.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

using whisper_s4y::Model;
using whisper_s4y::Session;
using whisper_s4y::Span;

namespace {

/// What one signature gives the next takes from where it lies: nothing is copied.
void connect(Session& session) {
  session.bind("encode", "input_features", "features", "logmel");
  session.bind("cross", "last_hidden_state", "encode", "last_hidden_state");
  for (const whisper_s4y::TensorInfo& tensor : session.signature("step").inputs) {
    if (tensor.name.rfind("cross_", 0) == 0) {
      session.bind("step", tensor.name, "cross", tensor.name);
    } else if (tensor.name.rfind("self_", 0) == 0) {
      session.bind("step", tensor.name, "step", "new_" + tensor.name);
    }
  }
}

void encode(Session& session, const std::vector<float>& audio) {
  const Span<float> window = session.input<float>("features", "normalized_audio");  // of 30 s
  std::fill(window.begin(), window.end(), 0.0F);
  std::copy_n(audio.begin(), std::min(audio.size(), window.size()), window.begin());
  for (const char* signature : {"features", "encode", "cross"}) session.run(signature);
}

/// Feeds one token; gives the logits of the one that follows.
Span<const float> step(Session& session, int32_t token, int32_t position) {
  session.set_input("step", "token", Span<const int32_t>(&token, 1));
  session.set_input("step", "position", Span<const int32_t>(&position, 1));
  session.run("step");
  return session.output<float>("step", "logits");
}

/// The likeliest token that is allowed.
int likeliest(Span<const float> logits, const std::vector<int>& forbidden, int below) {
  std::vector<float> scores(logits.begin(), logits.begin() + below);
  for (const int token : forbidden) {
    if (token < below) scores[token] = -std::numeric_limits<float>::infinity();
  }
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

std::vector<int> decode(Session& session) {
  const whisper_s4y::GenerationConfig& special = session.model().info().generation;
  std::vector<int> row = {special.decoder_start_token_id};
  if (special.is_multilingual) {
    row.push_back(special.language_token("en"));
    row.push_back(special.transcribe_token_id);
  }
  row.push_back(special.no_timestamps_token_id);

  const size_t prompt = row.size();
  const int most = session.model().info().config.max_target_positions;
  for (int position = 0; position + 1 < most; ++position) {
    const Span<const float> logits = step(session, row[position], position);
    if (position + 1 < static_cast<int>(prompt)) continue;
    std::vector<int> forbidden = special.suppress_tokens;
    if (row.size() == prompt) {
      const std::vector<int>& first = special.begin_suppress_tokens;
      forbidden.insert(forbidden.end(), first.begin(), first.end());
    }
    // Behind the end of the text come only special tokens, which are not wanted here.
    const int next = likeliest(logits, forbidden, special.eos_token_id + 1);
    if (next == special.eos_token_id) break;
    row.push_back(next);
  }
  return {row.begin() + static_cast<std::ptrdiff_t>(prompt), row.end()};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "Usage: decode MODEL.tflite RECORDING\n");
    return 2;
  }
  try {
    const Model model(argv[1]);
    Session session(model);
    connect(session);
    encode(session, whisper_s4y::load_audio(argv[2]));
    std::printf("%s\n", model.detokenize(decode(session)).c_str());
    return 0;
  } catch (const whisper_s4y::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
