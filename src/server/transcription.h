// One upload, transcribed in its turn.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/form.h"
#include "server/model_store.h"
#include "server/services.h"
#include "whisper_s4y/audio.h"
#include "whisper_s4y/transcriber.h"

namespace whisper_s4y::server {

/// The form of a request.
[[nodiscard]] Form read_form(Exchange& exchange, const Services& services);

/// What is to be transcribed, and how.
struct TranscriptionJob {
  std::shared_ptr<ServedModel> model;
  TranscribeOptions options;
  AudioOptions audio;
};

struct Transcription {
  Transcript transcript;
  std::shared_ptr<const Model> model;                    // it was made with
  std::vector<std::pair<std::string, float>> languages;  // likeliest first; empty: not told
};

/// What is told of a transcription while it runs; each may be empty.
struct TranscriptionEvents {
  std::function<void(const Segment& segment)> on_segment;      // as soon as it is final
  std::function<void(double done, double total)> on_progress;  // seconds; a total of 0: not known
};

/// Waits for a turn and transcribes the form's file.
/// Throws ApiError when the file is too long (413) or no recording (400) or the options do not fit
/// the model (400), and what Exchange::check() throws, within 100 ms.
[[nodiscard]] Transcription transcribe(Exchange& exchange, Services& services, const Form& form,
                                       const TranscriptionJob& job,
                                       const TranscriptionEvents& events = {});

}  // namespace whisper_s4y::server
