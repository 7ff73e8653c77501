// One recording from its sound to a transcript, by the way that the options say.
#pragma once

#include <functional>
#include <vector>

#include "decoding/decoder_model.h"
#include "tokenizer/tokenizer.h"
#include "transcribe/sound_buffer.h"
#include "transcribe/speech_windows.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y {

/// What recordings are transcribed with. All of it is used only as far as the options need it.
struct TranscribeTools {
  DecoderModel& model;
  const Tokenizer& tokenizer;
  DetectorSource detector;  // of short parts of a recording
  DetectorSource listener;  // another one, which hears all of a recording
  std::function<std::vector<DecoderModel*>(int count)> workers;  // for windows side by side
};

/// Samples of a recording that is decoded meanwhile to be kept for these options; `can_rewind` as
/// of SoundBuffer.
[[nodiscard]] int64_t kept_sound(const TranscribeOptions& options, bool can_rewind);

/// The options are checked ones. Hears all of the recording, unless that is cancelled.
[[nodiscard]] Transcript transcribe_recording(const TranscribeTools& tools, SoundBuffer& sound,
                                              const TranscribeOptions& options,
                                              const TranscribeCallbacks& callbacks);

}  // namespace whisper_s4y
