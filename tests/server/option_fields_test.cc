#include "server/option_fields.h"

#include <gmock/gmock.h>

#include "server/api_error.h"
#include "transcribe/transcribe_options.h"

namespace whisper_s4y::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TranscribeOptions options_of(std::vector<std::pair<std::string, std::string>> fields) {
  Form form;
  form.fields = std::move(fields);
  TranscribeOptions options;
  set_fields(form, options);
  return options;
}

TEST(OptionFields, AreSetByTheirNames) {
  const TranscribeOptions options = options_of({{"beam_size", "5"},
                                                {"vad_filter", "True"},
                                                {"hotwords", "Zürich, LiteRT"},
                                                {"suppress_blank", "no"},
                                                {"no_speech_threshold", "0.25"},
                                                {"unheard_of", "x"}});
  EXPECT_EQ(options.beam_size, 5);
  EXPECT_TRUE(options.vad_filter);
  EXPECT_EQ(options.hotwords, "Zürich, LiteRT");
  EXPECT_FALSE(options.suppress_blank);
  EXPECT_FLOAT_EQ(options.no_speech_threshold.value(), 0.25F);
}

TEST(OptionFields, TakeListsAsOneFieldOrSeveral) {
  EXPECT_THAT(options_of({{"languages", "de,fr"}}).languages, ElementsAre("de", "fr"));
  EXPECT_THAT(options_of({{"languages[]", "de"}, {"languages[]", "fr"}}).languages,
              ElementsAre("de", "fr"));
  EXPECT_THAT(options_of({{"clip_timestamps", "1"}, {"clip_timestamps", "2.5"}}).clip_timestamps,
              ElementsAre(1, 2.5));
}

TEST(OptionFields, NameWhatIsImpossible) {
  for (const auto& [name, value] : {std::pair{"beam_size", "0"}, std::pair{"beam_size", "many"},
                                    std::pair{"vad_filter", "x"}}) {
    try {
      (void)options_of({{name, value}});
      FAIL() << name;
    } catch (const ApiError& error) {
      EXPECT_EQ(error.status(), 400);
      EXPECT_EQ(error.param(), name);
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace whisper_s4y::server
