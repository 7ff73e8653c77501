#include <gmock/gmock.h>

#include <fstream>

#include "server/access.h"
#include "server/api_error.h"
#include "server/model_store.h"
#include "server/serve_options.h"
#include "support/files.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y::server {
namespace {

using testing::HasSubstr;

TEST(ModelName, IsGivenOrThatOfTheFile) {
  EXPECT_EQ(ModelName::parse("x/whisper-base.tflite").name, "whisper-base");
  EXPECT_EQ(ModelName::parse("base=x/y.tflite").name, "base");
  EXPECT_EQ(ModelName::parse("base=x/y.tflite").path, "x/y.tflite");
  const TemporaryFolder folder;
  const std::string odd = (folder / "a=b.tflite").string();
  std::ofstream(odd) << "x";
  EXPECT_EQ(ModelName::parse(odd).path, odd);
}

TEST(ModelStore, TellsWhatIsMissingAtOnce) {
  EXPECT_THROW(ModelStore({{"base", "/nowhere.tflite"}}, {}), Error);
  const TemporaryFolder folder;
  std::ofstream(folder / "m") << "x";
  EXPECT_THROW(ModelStore({{"m", folder / "m"}, {"m", folder / "m"}}, {}), Error);
}

TEST(ApiErrorTest, SpeaksAsOpenAiDoes) {
  EXPECT_EQ(ApiError(404, "No \"x\".", "model", "model_not_found").to_json(),
            R"({"error":{"message":"No \"x\".","type":"invalid_request_error","param":"model",)"
            R"("code":"model_not_found"}})");
  EXPECT_THAT(ApiError(503, "Later.").to_json(),
              HasSubstr(R"("type":"server_error","param":null,"code":null)"));
}

TEST(Keys, AreTheSameOrNot) {
  EXPECT_TRUE(is_same_key("sk-1234", "sk-1234"));
  EXPECT_FALSE(is_same_key("sk-1235", "sk-1234"));
  EXPECT_FALSE(is_same_key("sk-12341", "sk-1234"));
  EXPECT_FALSE(is_same_key("sk-1234sk-1234", "sk-1234"));
  EXPECT_FALSE(is_same_key("", "sk-1234"));
}

TEST(Keys, AreInAHeaderOrASubprotocol) {
  EXPECT_EQ(given_key("Bearer sk-1", ""), "sk-1");
  EXPECT_EQ(given_key("", "realtime, openai-insecure-api-key.sk-2,openai-beta.realtime-v1"),
            "sk-2");
  EXPECT_EQ(given_key("Basic sk-1", "realtime"), "");
  EXPECT_EQ(given_key("", ""), "");
}

TEST(Keys, ComeFromAFileToo) {
  const TemporaryFolder folder;
  ServeOptions options;
  options.api_key_file = folder / "keys";
  EXPECT_THROW(Access{options}, Error);
  std::ofstream(folder / "keys") << "# of nobody\n\n";
  EXPECT_THROW(Access{options}, Error);
  std::ofstream(folder / "keys") << "# two\n  sk-1 \nsk-2\n";
  EXPECT_NO_THROW(Access{options});
}

TEST(ServeOptionsTest, AreChecked) {
  ServeOptions options;
  EXPECT_NO_THROW(options.validate());
  options.cors_origins = {"example.org"};
  EXPECT_THROW(options.validate(), Error);
  options.cors_origins = {"https://example.org", "*"};
  EXPECT_NO_THROW(options.validate());
  options.wyoming_port = options.port;
  EXPECT_THROW(options.validate(), Error);
}

}  // namespace
}  // namespace whisper_s4y::server
