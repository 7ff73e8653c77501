#include "audio/channel_choice.h"

#include <charconv>

#include "common/options.h"

namespace whisper_s4y {
namespace {

constexpr OptionName kChannel{"channel"};

}  // namespace

ChannelChoice channel_choice(std::string_view text) {
  using Kind = ChannelChoice::Kind;
  if (text == "mix") return {Kind::mix};
  if (text == "each") return {Kind::each};
  if (text == "left") return {Kind::one, 0};
  if (text == "right") return {Kind::one, 1};
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    fail_option("{} must be mix, left, right, each or a number from 1, not {}.", kChannel,
                std::string(text));
  }
  return {Kind::one, number - 1};
}

std::string channel_name(int index, int channels) {
  if (channels == 2) return index == 0 ? "left" : "right";
  return fmt::format("{}", index + 1);
}

}  // namespace whisper_s4y
