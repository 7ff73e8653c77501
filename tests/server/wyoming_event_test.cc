// Events of the Wyoming protocol in bytes.
#include "server/wyoming_event.h"

#include <gmock/gmock.h>

#include "server/api_error.h"
#include "server/wyoming_session.h"

namespace whisper_s4y::server {
namespace {

using testing::ElementsAre;

std::vector<std::string> types(std::string_view bytes, size_t piece) {
  WyomingParser parser;
  std::vector<std::string> found;
  while (!bytes.empty()) {
    parser.add(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (const auto event = parser.next()) {
      found.push_back(event->type + event->data.value("text", "") + event->payload);
    }
  }
  EXPECT_FALSE(parser.is_within_event());
  return found;
}

TEST(WyomingParserTest, FindsEventsInPieces) {
  const std::string bytes =
      "{\"type\": \"describe\"}\n"
      "{\"type\": \"a\", \"data\": {\"text\": \"-\"}, \"data_length\": 13, \"payload_length\": 3}\n"
      "{\"text\": \"+\"}\n\n\n"
      "{\"type\": \"b\", \"data_length\": null}\n";
  for (const size_t piece : {1U, 5U, 1000U}) {
    EXPECT_THAT(types(bytes, piece), ElementsAre("describe", "a+\n\n\n", "b")) << piece;
  }
}

TEST(WyomingParserTest, ReadsWhatItWrites) {
  const WyomingEvent event{
      .type = "audio-chunk", .data = {{"rate", 16000}}, .payload = std::string("\0\n{", 3)};
  WyomingParser parser;
  parser.add(serialize(event) + serialize({.type = "audio-stop"}));
  const auto first = parser.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, event.type);
  EXPECT_EQ(first->data, event.data);
  EXPECT_EQ(first->payload, event.payload);
  EXPECT_EQ(parser.next()->type, "audio-stop");
  EXPECT_FALSE(parser.next());
}

TEST(WyomingParserTest, RefusesHostileBytes) {
  for (const std::string& bytes :
       {std::string("\n"), std::string("[]\n"), std::string("{}\n"),
        std::string("GET / HTTP/1.1\n"),
        std::string(R"({"type": "a", "payload_length": 10000000000})") + "\n",
        std::string(R"({"type": "a", "payload_length": -1})") + "\n",
        std::string(R"({"type": "a", "data_length": 99999999})") + "\n",
        std::string(R"({"type": "a", "data_length": 1.5})") + "\n",
        std::string(R"({"type": "a", "data_length": 2})") + "\n[]", std::string(100'000, 'x'),
        std::string(100'000, '['),
        R"({"type": "a", "data": )" + std::string(20, '[') + std::string(20, ']') + "}\n",
        std::string(R"({"type": "a", "type": "b"})") + "\n"}) {
    WyomingParser parser;
    parser.add(bytes);
    EXPECT_THROW((void)parser.next(), WyomingProtocolError) << bytes.substr(0, 60);
  }
}

TEST(WyomingFormat, IsChecked) {
  EXPECT_EQ(wyoming_format({{"rate", 22050}, {"width", 3}, {"channels", 2}}),
            (RawAudioFormat{RawAudioFormat::Coding::pcm24, 22050, 2}));
  EXPECT_THROW((void)wyoming_format({{"rate", 16000}, {"width", 5}, {"channels", 1}}), ApiError);
  EXPECT_THROW((void)wyoming_format({{"rate", 0}, {"width", 2}, {"channels", 1}}), ApiError);
  EXPECT_THROW((void)wyoming_format({{"rate", 16000}, {"width", 2}, {"channels", 1e9}}), ApiError);
  EXPECT_THROW((void)wyoming_format({{"rate", 16000}, {"width", 2}}), ApiError);
}

}  // namespace
}  // namespace whisper_s4y::server
