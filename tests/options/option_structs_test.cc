// What holds for the tables of all option structs. That no field is without a row is asserted
// beside each table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "audio/audio_options.h"
#include "cli/option_flags.h"
#include "conversion/convert_options.h"
#include "options/option_table.h"
#include "output/output_options.h"
#include "runtime/runtime_options.h"
#include "transcribe/transcribe_options.h"
#include "vad/vad_options.h"
#include "whisper_s4y/error.h"

namespace whisper_s4y {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

template <typename Options>
class OptionStructs : public ::testing::Test {
 protected:
  const OptionTable& table() { return option_table<Options>(); }
};

using Structs = ::testing::Types<TranscribeOptions, VadOptions, LiveOptions, OutputOptions,
                                 AudioOptions, RuntimeOptions, SessionOptions, ConvertOptions>;
TYPED_TEST_SUITE(OptionStructs, Structs);

/// A value that is allowed and not the default.
Json other_value(const Option& row, const Json& value) {
  const auto number = [&]() -> Json {
    const auto [least, most] = row.details.bounds;
    const bool is_least = value.is_number() && value.get<double>() == least;
    const double other = is_least ? std::min(most, least + 1) : least;
    const bool is_whole = row.kind == OptionKind::integer || row.kind == OptionKind::integers;
    return is_whole ? Json(static_cast<int64_t>(other)) : Json(other);
  };
  switch (row.kind) {
    case OptionKind::flag:
      return value.is_null() || !value.get<bool>();
    case OptionKind::integer:
    case OptionKind::number:
      return number();
    case OptionKind::text:
    case OptionKind::choice:
      return row.details.choices.empty() ? "text é" : std::string(row.details.choices.back());
    case OptionKind::integers:
    case OptionKind::numbers:
      return Json::array({number(), number()});
    case OptionKind::texts:
      if (row.details.choices.empty()) return Json::array({"a", "b"});
      return Json::array({row.details.choices.back(), row.details.choices.front()});
    case OptionKind::options:
      break;
  }
  return Json::object();
}

TYPED_TEST(OptionStructs, GoThroughJsonAndComeBack) {
  for (const Option& row : this->table().rows) {
    const std::string name(row.name.field);
    const TypeParam defaults;
    const Json before = get_option(defaults, name);
    Json after = other_value(row, before);
    TypeParam options;
    set_options(options, Json{{name, after}}.dump());
    const Json written = Json::parse(to_json(options));
    if (row.kind == OptionKind::options) after = written.at(name);
    EXPECT_EQ(written.at(name).dump(), get_option(options, name).dump());
    EXPECT_EQ(written.at(name), after) << name;
    TypeParam again;
    set_options(again, to_json(options));
    EXPECT_EQ(to_json(again), to_json(options)) << name;
    // Nothing else has changed.
    Json rest = Json::parse(to_json(defaults));
    rest[name] = after;
    EXPECT_EQ(written, rest) << name;
  }
}

TYPED_TEST(OptionStructs, TakeTheTextTheyGive) {
  for (const Option& row : this->table().rows) {
    if (row.kind == OptionKind::options) continue;
    const std::string name(row.name.field);
    const Json value = other_value(row, get_option(TypeParam(), name));
    TypeParam options;
    set_option(options, name, text_of(value));
    EXPECT_EQ(get_option(options, name), value) << name;
  }
}

TYPED_TEST(OptionStructs, KeepToTheirBounds) {
  for (const Option& row : this->table().rows) {
    const std::string name(row.name.field);
    const auto [least, most] = row.details.bounds;
    const bool is_list = row.kind == OptionKind::integers || row.kind == OptionKind::numbers;
    const bool is_whole = row.kind == OptionKind::integer || row.kind == OptionKind::integers;
    if (!is_list && !is_whole && row.kind != OptionKind::number) continue;
    const auto refusal = [&](double number) -> std::string {
      Json value = is_whole ? Json(static_cast<int64_t>(number)) : Json(number);
      if (is_list) value = Json::array({value});
      TypeParam options;
      try {
        set_option(this->table(), &options, name, value);
        check_rows(options);
      } catch (const OptionError& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        return error.what();
      }
      return "";
    };
    ASSERT_FALSE(std::isinf(least)) << name << " has no bounds";
    EXPECT_EQ(refusal(least), "");
    EXPECT_THAT(refusal(least - 1), HasSubstr(name + " must be "));
    if (std::isinf(most)) continue;
    EXPECT_EQ(refusal(most), "");
    EXPECT_THAT(refusal(most + 1), HasSubstr(name + " must be "));
    if (!is_whole) {
      EXPECT_THAT(refusal(std::nan("")), HasSubstr(name + " must be "));
      EXPECT_THAT(refusal(kNoLimit), HasSubstr(name + " must be "));
    }
  }
}

TYPED_TEST(OptionStructs, KeepToTheirLengths) {
  for (const Option& row : this->table().rows) {
    const auto [least, most] = row.details.length;
    if (least == 0) continue;
    const std::string name(row.name.field);
    TypeParam options;
    EXPECT_THROW(set_option(options, name, ""), OptionError) << name;
    EXPECT_THROW(set_options(options, Json{{name, Json::array()}}.dump()), OptionError) << name;
  }
}

TYPED_TEST(OptionStructs, RefuseUnknownNamesAndWrongTypes) {
  TypeParam options;
  const std::string before = to_json(options);
  for (const Option& row : this->table().rows) {
    const std::string name(row.name.field);
    const auto message = [&](const Json& json) -> std::string {
      try {
        set_options(options, json.dump());
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        return error.what();
      }
      return "";
    };
    EXPECT_EQ(message({{name + "_", 1}}),
              "There is no option \"" + name + "_\"; the nearest is " + name + ".");
    EXPECT_THAT(message({{name, Json::array({Json::object()})}}), HasSubstr(name + ": expected "));
  }
  EXPECT_EQ(to_json(options), before);
}

/// That `command` has the flag of an option, or those of the options inside.
void expect_flags(const CLI::App& command, const Option& row, const void* options) {
  if (!row.details.has_flag) return;
  const Json value = get_row(row, options);
  if (row.kind == OptionKind::options) {
    const OptionTable& table = row.nested_table();
    const std::shared_ptr<void> defaults = table.make();
    const void* inside = value.is_null() ? defaults.get() : row.nested(const_cast<void*>(options));
    for (const Option& row_inside : table.rows) expect_flags(command, row_inside, inside);
    return;
  }
  const CLI::Option* flag = command.get_option(row.name.on_command_line());
  EXPECT_NE(flag->get_description(), "");
  EXPECT_THAT(flag->get_description(), Not(EndsWith(".")));
  if (row.kind == OptionKind::flag && value.is_null()) {
    // Neither yes nor no from the beginning: it can be told both.
    EXPECT_EQ(flag, command.get_option("--no-" + row.name.on_command_line().substr(2)));
  } else if (row.kind == OptionKind::flag) {
    // What is so from the beginning can only be switched off.
    EXPECT_EQ(row.name.on_command_line().starts_with("--no-"), value.get<bool>()) << row.name.field;
  } else {
    EXPECT_EQ(flag->get_default_str(), text_of(value)) << row.name.field;
    EXPECT_NE(flag->get_type_name(), "") << row.name.field;
  }
}

TYPED_TEST(OptionStructs, AreFlagsWithTheirDefaults) {
  for (const Option& row : this->table().rows) {
    TypeParam options;
    CLI::App command;
    add_flags(command, options, {row.name.field});
    expect_flags(command, row, &options);
  }
}

TEST(OptionFlags, SetTheirFields) {
  TranscribeOptions options;
  CLI::App command;
  add_flags(command, options);
  command.parse(
      "--beam-size 5 --no-condition-on-previous-text --vad --vad-threshold 0.4 -l de "
      "--no-speech-threshold none --clip-timestamps 1,2 --clip-timestamps 3,4");
  EXPECT_EQ(options.beam_size, 5);
  EXPECT_FALSE(options.condition_on_previous_text);
  EXPECT_TRUE(options.vad_filter);
  ASSERT_TRUE(options.vad_options);
  EXPECT_EQ(options.vad_options->threshold, 0.4);
  EXPECT_EQ(options.vad_options->speech_pad_ms, VadOptions().speech_pad_ms);
  EXPECT_EQ(options.language, "de");
  EXPECT_EQ(options.no_speech_threshold, std::nullopt);
  EXPECT_THAT(options.clip_timestamps, ::testing::ElementsAre(1, 2, 3, 4));
}

TEST(OptionFlags, LeaveStructsInsideAloneUnlessOneOfTheirsIsGiven) {
  TranscribeOptions options;
  CLI::App command;
  add_flags(command, options);
  command.parse("--vad");
  EXPECT_FALSE(options.vad_options);
}

TEST(OptionFlags, AreOnlyThoseAskedFor) {
  TranscribeOptions options;
  CLI::App command;
  add_flags(command, options, {"language"});
  EXPECT_NE(command.get_option_no_throw("--language"), nullptr);
  EXPECT_EQ(command.get_option_no_throw("--task"), nullptr);
}

TEST(OptionFlags, AreNamedInTheirErrors) {
  TranscribeOptions options;
  CLI::App command;
  add_flags(command, options);
  try {
    command.parse("--vad-threshold 2");
    FAIL();
  } catch (const OptionError& error) {
    EXPECT_STREQ(error.what(), "threshold must be 0.001 to 0.999, not 2.");
    EXPECT_EQ(error.usage(), "--vad-threshold must be 0.001 to 0.999, not 2.");
  }
}

}  // namespace
}  // namespace whisper_s4y
