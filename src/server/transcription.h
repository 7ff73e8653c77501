// A recording, transcribed in its turn.
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
[[nodiscard]] Form read_form(Exchange& exchange, const Services& services,
                             const OnArrivingFile& on_file = {});

/// For whom something is computed.
struct Client {
  RequestRecord& record;        // seconds and texts are added to it
  std::function<void()> check;  // throws to give up; asked every few milliseconds
};

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

/// Waits for a turn and gives out a transcriber with the threads of the turn, which ends when the
/// pointer goes. Client and services outlive it. Throws what Client::check() throws.
[[nodiscard]] std::shared_ptr<Transcriber> take_turn(const Client& client, Services& services,
                                                     ServedModel& model);

/// Waits for a turn and transcribes a recording, or mono samples at 16 kHz. Segments are told as
/// soon as they are final. Throws ApiError when it is too long (413), Error when it cannot be
/// decoded or the options do not fit the model, and what Client::check() throws, within 100 ms.
[[nodiscard]] Transcription transcribe(const Client& client, Services& services,
                                       const TranscriptionJob& job, AudioReader& audio,
                                       const TranscriptionEvents& events = {});
[[nodiscard]] Transcription transcribe(const Client& client, Services& services,
                                       const TranscriptionJob& job, Span<const float> samples,
                                       const TranscriptionEvents& events = {});
/// The same of the form's file, for an exchange. `file` is the form's, or it while it comes.
[[nodiscard]] Transcription transcribe(Exchange& exchange, Services& services, const Form& form,
                                       const std::shared_ptr<ByteSource>& file,
                                       const TranscriptionJob& job,
                                       const TranscriptionEvents& events = {});
}  // namespace whisper_s4y::server
