// What every fuzz target does with its input, shared with the test that replays old findings.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace whisper_s4y {

/// Writes `bytes` as a file among the side files of a tiny model, opens it as a checkpoint and
/// reads every number of it. An Error is a good answer, as long as it is one sentence; anything
/// else ends the process.
void open_as_checkpoint(std::span<const std::byte> bytes);

/// The same with the bytes in the place of a side file, e.g. "tokenizer.json", beside sound
/// weights.
void open_beside(std::string_view side_file, std::span<const std::byte> bytes);

/// Opens `bytes` as a .tflite file, walks through all of it, and reads its metadata.
void open_as_tflite(std::span<const std::byte> bytes);

/// Makes the changes that the bytes describe to a tiny bundle (fuzz/changed_bundle.h), opens it as
/// transcription does and runs every signature of transcription once.
void run_changed_bundle(std::span<const std::byte> bytes);

/// Decodes `bytes` as a recording, up to some minutes of sound: samples are numbers in [-1, 1].
void decode_as_audio(std::span<const std::byte> bytes);

/// Takes `bytes` as the body of a request and reads it as a form, in pieces, and its fields as
/// options.
void read_as_form(std::span<const std::byte> bytes);

/// Takes each line as an event of OpenAI's realtime API, with its sound and settings.
void take_realtime_events(std::span<const std::byte> bytes);

/// Takes `bytes` as a connection of the Wyoming protocol, in pieces of as many bytes as the first
/// one says; what is read is written and read again.
void take_wyoming_events(std::span<const std::byte> bytes);

/// Takes `bytes` as what a client sends over a WebSocket once that is open.
void take_web_socket_frames(std::span<const std::byte> bytes);

/// What the target of this name does: "safetensors", "torch", "ggml", "ctranslate2" and "tflite"
/// open a checkpoint, "tflite_reader" any .tflite file, "audio" a recording, "config" and
/// "tokenizer" side files; "bundle" runs a changed bundle; "form" reads one,
/// "realtime_event", "web_socket" and "wyoming_event" what live protocols send.
void run_fuzz_target(std::string_view target, std::span<const std::byte> bytes);

}  // namespace whisper_s4y
