#include "server/wyoming_session.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "common/fail.h"
#include "common/utf8.h"
#include "options/option_table.h"
#include "server/live_place.h"
#include "server/openai_response.h"
#include "tokenizer/languages.h"
#include "whisper_s4y/version.h"

namespace whisper_s4y::server {
namespace {

using Clock = std::chrono::steady_clock;
using Coding = RawAudioFormat::Coding;

constexpr const char* kProtocol = "wyoming";
constexpr int kOk = 200;
constexpr std::array<Coding, 4> kCodings = {Coding::pcm8, Coding::pcm16, Coding::pcm24,
                                            Coding::pcm32};  // by their bytes

std::string text_in(const Json& data, const char* name) {
  const auto found = data.find(name);
  return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> texts_in(const Json& data, const char* name) {
  std::vector<std::string> texts;
  const auto found = data.find(name);
  if (found == data.end() || !found->is_array()) return texts;
  for (const Json& element : *found) {
    if (element.is_string()) texts.push_back(element.get<std::string>());
  }
  return texts;
}

int number_in(const Json& data, const char* name, int least, int most) {
  const auto found = data.find(name);
  const bool is_number = found != data.end() && found->is_number_integer();
  const auto value = is_number ? found->get<int64_t>() : int64_t{-1};
  if (value < least || value > most) {
    throw ApiError(
        400, fmt::format("`{}` must be a whole number from {} to {}.", name, least, most), name);
  }
  return static_cast<int>(value);
}

Json project() {
  return {{"name", "whisper-s4y"}, {"url", "https://github.com/s4ysolutions/whisper-s4y"}};
}

Json whisper() {
  return {{"name", "OpenAI Whisper"}, {"url", "https://github.com/openai/whisper"}};
}

/// A .wav file of what was sent: its header comes before bytes whose number is known at last.
class WavSource : public ByteSource {
 public:
  WavSource(std::shared_ptr<Upload> sound, const RawAudioFormat& format)
      : sound_(std::move(sound)), header_(header_of(format, *sound_->size())) {}

  [[nodiscard]] std::optional<int64_t> size() const override {
    return static_cast<int64_t>(header_.size()) + *sound_->size();
  }
  size_t read(int64_t position, Span<std::byte> bytes) override {
    const auto header_size = static_cast<int64_t>(header_.size());
    if (position >= header_size) return sound_->read(position - header_size, bytes);
    const size_t count = std::min(static_cast<size_t>(header_size - position), bytes.size());
    std::copy_n(reinterpret_cast<const std::byte*>(header_.data()) + position, count, bytes.data());
    return count;
  }

 private:
  static std::string header_of(const RawAudioFormat& format, int64_t sound_bytes) {
    std::string header;
    const auto add = [&](uint64_t value, int bytes) {
      for (int i = 0; i < bytes; ++i) header += static_cast<char>(value >> (8 * i) & 0xFF);
    };
    const size_t frame = bytes_per_frame(format);
    const auto channels = static_cast<uint64_t>(format.channels);
    const auto rate = static_cast<uint64_t>(format.sample_rate);
    constexpr uint64_t kLargest = 0xFFFF'FFFF;  // "until the end"
    constexpr uint64_t kHeader = 36;
    const auto bytes = static_cast<uint64_t>(sound_bytes);
    header += "RIFF";
    add(std::min(bytes + kHeader, kLargest), 4);
    header += "WAVEfmt ";
    add(16, 4);
    add(1, 2);  // PCM
    add(channels, 2);
    add(rate, 4);
    add(rate * frame, 4);
    add(frame, 2);
    add(frame / channels * 8, 2);
    header += "data";
    add(std::min(bytes, kLargest), 4);
    return header;
  }

  std::shared_ptr<Upload> sound_;
  std::string header_;
};

}  // namespace

/// What is said between audio-start and audio-stop.
struct WyomingSession::Utterance {
  explicit Utterance(Services& services) : place(services, kProtocol) {}

  LivePlace place;
  TranscriptionJob job;
  RawAudioFormat format;
  std::shared_ptr<Upload> sound;
};

WyomingEvent wyoming_info(const ModelStore& models) {
  Json list = Json::array();
  for (const auto& model : models.all()) {
    std::vector<std::string> languages = model->facts().languages;
    if (languages.empty()) languages = model->open()->info().languages;
    if (languages.empty()) languages = {"en"};
    list.push_back({{"name", model->name()},
                    {"languages", languages},
                    {"attribution", whisper()},
                    {"installed", true},
                    {"description", fmt::format("Whisper model {}", model->name())},
                    {"version", kVersion}});
  }
  Json program = {{"name", "whisper-s4y"},
                  {"attribution", project()},
                  {"installed", true},
                  {"description", "OpenAI Whisper on LiteRT"},
                  {"version", kVersion},
                  {"models", std::move(list)},
                  {"supports_transcript_streaming", true},
                  {"requires_external_vad", true}};
  WyomingEvent event{.type = "info"};
  event.data["asr"] = Json::array({std::move(program)});
  for (const char* other : {"tts", "handle", "intent", "wake", "mic", "snd"}) {
    event.data[other] = Json::array();
  }
  return event;
}

RawAudioFormat wyoming_format(const Json& data) {
  constexpr int kMostWidth = 4;
  const int width = number_in(data, "width", 1, kMostWidth);
  return {.coding = kCodings[static_cast<size_t>(width - 1)],
          .sample_rate =
              number_in(data, "rate", RawAudioStream::kLowestRate, RawAudioStream::kHighestRate),
          .channels = number_in(data, "channels", 1, RawAudioStream::kMostChannels)};
}

WyomingSession::WyomingSession(Services& services, std::string client, std::function<void()> check,
                               std::function<void(const WyomingEvent&)> send)
    : services_(services),
      client_(std::move(client)),
      check_(std::move(check)),
      send_(std::move(send)) {}

WyomingSession::~WyomingSession() = default;

void WyomingSession::take(const WyomingEvent& event) {
  try {
    if (event.type == "describe") {
      send_(wyoming_info(services_.models));
    } else if (event.type == "ping") {
      send("pong", event.data);
    } else if (event.type == "transcribe") {
      request_ = event.data;
    } else if (event.type == "audio-start") {
      start(event.data);
    } else if (event.type == "audio-chunk") {
      hear(event);
    } else if (event.type == "audio-stop") {
      stop();
    }
    // Others are for servers of another kind; the protocol lets them pass.
  } catch (const ApiError& error) {
    refuse(error);
  } catch (const Error& error) {
    refuse(api_error_of(error));
  }
}

void WyomingSession::start(const Json& data) {
  utterance_.reset();
  begin_ = Clock::now();
  record_ = RequestRecord{
      .id = new_request_id(), .client = client_, .protocol = kProtocol, .method = "transcribe"};
  const Json request = std::exchange(request_, Json::object());
  if (!services_.ready) {
    throw ApiError(503, "The server is loading its models; try again soon.", {}, "loading");
  }
  services_.queue.check_room();
  auto utterance = std::make_unique<Utterance>(services_);
  utterance->format = wyoming_format(data);
  utterance->sound = std::make_shared<Upload>(services_.options.upload_dir);
  const std::string name = text_in(request, "name");
  utterance->job.model = name.empty() ? services_.models.main() : services_.models.find(name);
  TranscribeOptions& options = utterance->job.options;
  if (const std::string language = text_in(request, "language"); !language.empty()) {
    options.language = std::string(language_code(language));
  }
  std::vector<std::string> hints = texts_in(request, "transcript_names");
  for (std::string& term : texts_in(request, "transcript_terms")) hints.push_back(std::move(term));
  options.hotwords = fmt::format("{}", fmt::join(hints, ", "));
  utterance_ = std::move(utterance);
}

void WyomingSession::hear(const WyomingEvent& event) {
  if (!utterance_) return;  // of an utterance that was refused
  if (!(wyoming_format(event.data) == utterance_->format)) {
    throw ApiError(400, "The sound has changed its rate, width or channels.");
  }
  Upload& sound = *utterance_->sound;
  sound.append(std::as_bytes(std::span(event.payload)));
  const double seconds = static_cast<double>(*sound.size()) /
                         static_cast<double>(bytes_per_frame(utterance_->format)) /
                         utterance_->format.sample_rate;
  if (seconds > services_.options.max_duration ||
      *sound.size() > int64_t{services_.options.max_upload} << 20) {
    throw ApiError(413, "The utterance is longer than this server takes.", {}, "audio_too_long");
  }
}

void WyomingSession::stop() {
  if (!utterance_) return;
  const std::unique_ptr<Utterance> utterance = std::move(utterance_);
  record_->bytes_in = *utterance->sound->size();
  try {
    answer(*utterance);
  } catch (const ClientGone&) {
    record_->status = kClientGone;
    finish();
    throw;
  }
  record_->status = kOk;
  finish();
}

void WyomingSession::answer(const Utterance& utterance) {
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(services_.options.request_timeout));
  const Client client{.record = *record_, .check = [&] {
                        check_();
                        if (Clock::now() < end) return;
                        throw ApiError(504, "It took longer than this server allows.", {},
                                       "timeout");
                      }};
  const WorkQueue::Ticket ticket = services_.queue.admit();
  Deltas deltas;
  std::string text;
  std::string language = utterance.job.options.language.value_or("");
  bool has_begun = false;
  const auto begin = [&] {
    if (std::exchange(has_begun, true)) return;
    send("transcript-start", language.empty() ? Json::object() : Json{{"language", language}});
  };
  TranscriptionEvents events;
  events.on_segment = [&](const Segment& segment) {
    if (!segment.language.empty()) language = segment.language;
    const std::string delta = deltas.add(segment.text);
    if (delta.empty()) return;
    begin();
    text += delta;
    send("transcript-chunk", {{"text", delta}});
  };
  if (*utterance.sound->size() >= static_cast<int64_t>(bytes_per_frame(utterance.format))) {
    AudioReader audio(std::make_shared<WavSource>(utterance.sound, utterance.format),
                      "the utterance", utterance.job.audio);
    (void)transcribe(client, services_, utterance.job, audio, events);
  }
  begin();
  Json transcript = {{"text", text}};
  if (!language.empty()) transcript["language"] = language;
  send("transcript", std::move(transcript));
  send("transcript-stop");
}

void WyomingSession::refuse(const ApiError& error) {
  utterance_.reset();
  send("error", {{"text", error.what()},
                 {"code", error.code().empty() ? std::to_string(error.status()) : error.code()}});
  if (!record_) return;  // it was about something else
  record_->status = error.status();
  record_->error = error.what();
  finish();
}

void WyomingSession::finish() {
  record_->seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  services_.metrics.observe_utterance(kProtocol, record_->status != kOk);
  services_.log.write(*record_);
  record_.reset();
}

void WyomingSession::send(const char* type, Json data) {
  send_({.type = type, .data = std::move(data), .payload = {}});
}

}  // namespace whisper_s4y::server
