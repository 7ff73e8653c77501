#include "audio/channel_choice.h"

#include "audio/audio_options.h"
#include "options/option_table.h"

namespace whisper_s4y {

ChannelChoice channel_choice(std::string_view text) {
  using Kind = ChannelChoice::Kind;
  if (text == "mix") return {Kind::mix};
  if (text == "each") return {Kind::each};
  if (text == "left") return {Kind::one, 0};
  if (text == "right") return {Kind::one, 1};
  const auto number = whole_number(text);
  if (!number || *number < 1) {
    fail_option("{} must be mix, left, right, each or a number from 1, not {}.",
                find_option(option_table<AudioOptions>(), "channel").name, std::string(text));
  }
  return {Kind::one, *number - 1};
}

std::string channel_name(int index, int channels) {
  if (channels == 2) return index == 0 ? "left" : "right";
  return fmt::format("{}", index + 1);
}

}  // namespace whisper_s4y
