// Events and settings of OpenAI's realtime transcription.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "options/option_table.h"
#include "server/api_error.h"
#include "server/realtime_config.h"
#include "server/realtime_event.h"
#include "support/files.h"

namespace whisper_s4y::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int status_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const ApiError& error) {
    return error.status();
  }
  return 200;
}

TEST(ClientEventTest, HasTypeAndId) {
  const ClientEvent event =
      parse_client_event(R"({"type": "input_audio_buffer.commit", "event_id": "e1", "x": [1]})");
  EXPECT_EQ(event.type, "input_audio_buffer.commit");
  EXPECT_EQ(event.id, "e1");
  EXPECT_EQ(parse_client_event(R"({"type": "a", "event_id": 7})").id, "");
}

TEST(ClientEventTest, RefusesWhatIsNone) {
  std::string many;
  for (int i = 0; i < 2000; ++i) many += ",0";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"),
        std::string(R"({"type": ""})"), std::string(R"({"type": 1})"),
        std::string("{\"type\": \"a\xFF\"}"), std::string(5000, '['),
        R"({"type": "a", "x": )" + std::string(20, '[') + std::string(20, ']') + "}",
        std::string(R"({"type": "a", "type": "a"})"), R"({"type": "a", "x": [0)" + many + "]}"}) {
    EXPECT_EQ(status_of([&] { (void)parse_client_event(text); }), 400) << text.substr(0, 40);
  }
}

std::vector<std::byte> audio(const std::string& text) {
  return appended_audio({.type = "", .id = "", .body = {{"audio", text}}});
}

TEST(ClientEventTest, SoundIsBase64) {
  EXPECT_THAT(audio("AAECAw=="),
              ElementsAre(std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}));
  EXPECT_THAT(audio(""), testing::IsEmpty());
  for (const char* wrong : {"****", "AAEC\xFF", "AAECA"}) {
    EXPECT_EQ(status_of([&] { (void)audio(wrong); }), 400) << wrong;
  }
  EXPECT_EQ(status_of([&] { (void)appended_audio({}); }), 400);
  EXPECT_EQ(audio(std::string(kMostAppended / 3 * 4, 'A')).size(), kMostAppended);
  EXPECT_EQ(status_of([&] { (void)audio(std::string(kMostAppended / 3 * 4 + 4, 'A')); }), 413);
}

class RealtimeConfigTest : public testing::Test {
 protected:
  RealtimeConfigTest() : models_({{"base", model_file()}}, {}) { config_.model = models_.main(); }

  std::filesystem::path model_file() {
    std::ofstream(folder_ / "base.tflite") << "x";
    return folder_ / "base.tflite";
  }

  RealtimeConfig nested(const std::string& input) {
    const Json session =
        Json::parse(R"({"type": "transcription", "audio": {"input": )" + input + "}}");
    return updated(config_, session, SessionShape::nested, models_);
  }

  RealtimeConfig flat(const std::string& session) {
    return updated(config_, Json::parse(session), SessionShape::flat, models_);
  }

  TemporaryFolder folder_;
  ModelStore models_;
  RealtimeConfig config_;
};

TEST_F(RealtimeConfigTest, ChangesWhatIsNamed) {
  const RealtimeConfig config =
      nested(R"({"format": {"type": "audio/pcma"}, "turn_detection": {"silence_duration_ms": 900},
                 "transcription": {"prompt": "Names", "keywords": ["Ann", "Bob"]}})");
  EXPECT_EQ(config.format, (RawAudioFormat{RawAudioFormat::Coding::a_law, 8000, 1}));
  EXPECT_EQ(config.vad->silence_duration_ms, 900);
  EXPECT_EQ(config.vad->threshold, 0.5);
  EXPECT_EQ(config.live_options().transcribe.initial_prompt, "Names");
  EXPECT_EQ(config.live_options().transcribe.hotwords, "Ann, Bob");
  EXPECT_EQ(config.live_options().vad.min_silence_duration_ms, 900);
  EXPECT_EQ(nested("{}"), config_);
  EXPECT_EQ(nested(R"({"format": null, "transcription": null, "noise_reduction": {}})"), config_);
}

TEST_F(RealtimeConfigTest, NullLetsTheClientEndTurns) {
  config_ = nested(R"({"turn_detection": null})");
  EXPECT_FALSE(config_.vad);
  config_ = nested("{}");
  EXPECT_FALSE(config_.vad);
  config_ = nested(R"({"turn_detection": {"type": "server_vad"}})");
  EXPECT_EQ(config_.vad, RealtimeConfig::ServerVad{});
}

TEST_F(RealtimeConfigTest, BothShapesMeanTheSame) {
  EXPECT_EQ(flat(R"({"input_audio_format": "g711_ulaw", "turn_detection": null,
                     "input_audio_transcription": {"prompt": "Names"},
                     "include": ["item.input_audio_transcription.logprobs"]})"),
            updated(config_, Json::parse(R"({"include": ["item.input_audio_transcription.logprobs"],
                      "audio": {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": null,
                                          "transcription": {"prompt": "Names"}}}})"),
                    SessionShape::nested, models_));
}

TEST_F(RealtimeConfigTest, IsToldAsItIs) {
  config_.model_name = "whisper-1";
  config_.vad.reset();
  EXPECT_EQ(json_text(to_json(config_, "sess_1", SessionShape::flat)),
            R"({"id":"sess_1","object":"realtime.transcription_session",)"
            R"("input_audio_format":"pcm16","input_audio_transcription":{"model":"whisper-1",)"
            R"("language":null,"prompt":""},"turn_detection":null,"include":[]})");
  EXPECT_THAT(json_text(to_json(config_, "sess_1", SessionShape::nested)),
              HasSubstr(R"("audio":{"input":{"format":{"type":"audio/pcm","rate":24000})"));
}

TEST_F(RealtimeConfigTest, NamesTheFieldThatIsWrong) {
  const auto param = [&](const std::string& input) {
    try {
      (void)nested(input);
    } catch (const ApiError& error) {
      return error.param();
    }
    return std::string("none");
  };
  const std::string input = "session.audio.input.";
  EXPECT_EQ(param(R"({"turn_detection": {"threshold": -0.1}})"),
            input + "turn_detection.threshold");
  EXPECT_EQ(param(R"({"turn_detection": {"silence_duration_ms": 1.5}})"),
            input + "turn_detection.silence_duration_ms");
  EXPECT_EQ(param(R"({"turn_detection": {"prefix_padding_ms": 1e300}})"),
            input + "turn_detection.prefix_padding_ms");
  EXPECT_EQ(param(R"({"format": {}})"), input + "format.type");
  EXPECT_EQ(param(R"({"transcription": {"language": "xx"}})"), input + "transcription.language");
  EXPECT_EQ(param(R"({"transcription": {"keywords": [1]}})"), input + "transcription.keywords");
  EXPECT_EQ(param("7"), "session.audio.input");
}

}  // namespace
}  // namespace whisper_s4y::server
