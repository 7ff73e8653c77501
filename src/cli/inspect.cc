// whisper-s4y inspect: what a .tflite file, a checkpoint or a recording holds.
#include "cli/inspect.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/console.h"

namespace whisper_s4y {
namespace {

struct InspectArguments {
  std::filesystem::path file;  // a .tflite file, a checkpoint's file or folder, or a recording
  bool json = false;           // machine-readable
};

void run_inspect(const InspectArguments& arguments) {
  switch (content_of(arguments.file)) {
    case FileContent::tflite:
      return inspect_tflite(arguments.file, arguments.json);
    case FileContent::recording:
      return inspect_audio_file(arguments.file, arguments.json);
    case FileContent::checkpoint:
      return inspect_checkpoint(arguments.file, arguments.json);
  }
}

}  // namespace

void print_model_info(const ModelInfo& info) {
  const ModelConfig& config = info.config;
  print_out("  model       {}, {}\n", info.name,
            info.generation.is_multilingual
                ? fmt::format("{} languages", info.generation.lang_to_id.size())
                : "English only");
  print_out("  network     {} + {} layers, width {}, {} heads, {} mel bins, {} tokens\n",
            config.encoder_layers, config.decoder_layers, config.d_model,
            config.encoder_attention_heads, config.num_mel_bins, config.vocab_size);
}

void print_json(const Json& description) { print_out("{}\n", to_text(description)); }

void add_inspect_command(CLI::App& app) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand(
      "inspect",
      "Show what a .tflite file or a checkpoint holds: the model and its number formats; of a "
      ".tflite file the signatures with their inputs and outputs, of a checkpoint the tokenizer, "
      "the languages and a hash of the weights that is the same in every format. Of a recording: "
      "its audio tracks.");
  command
      ->add_option("FILE", arguments->file,
                   "Any .tflite file, a checkpoint's file or folder, or a recording, found by "
                   "content")
      ->required();
  command->add_flag("--json", arguments->json, "Print JSON, with more than the text says");
  command->footer(
      "Examples:\n"
      "  whisper-s4y inspect whisper-base.tflite\n"
      "  whisper-s4y inspect ggml-base.bin\n"
      "  whisper-s4y inspect whisper-base/ --json\n"
      "  whisper-s4y inspect film.mkv");
  command->callback([arguments] { run_inspect(*arguments); });
}

}  // namespace whisper_s4y
