// Which part of a text that is still being spoken is certain.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whisper_s4y {

/// A text in pieces that are confirmed one by one, joined again by concatenation: words with the
/// space before them; characters where scripts write words without spaces.
[[nodiscard]] std::vector<std::string> split_pieces(std::string_view text);

/// Confirms what two successive hypotheses begin with. Capital letters and punctuation do not count
/// as differences, and what is confirmed stays as it was then.
class LocalAgreement {
 public:
  /// Takes the next hypothesis of the whole text.
  void hear(std::string_view hypothesis);
  /// Takes the last one: all of it is confirmed.
  void finish(std::string_view hypothesis);

  [[nodiscard]] const std::string& confirmed() const { return confirmed_; }
  [[nodiscard]] const std::string& tentative() const { return tentative_; }

 private:
  void confirm(const std::vector<std::string>& pieces, size_t count);

  std::vector<std::string> previous_;  // pieces of the last hypothesis
  size_t count_ = 0;                   // pieces confirmed
  std::string confirmed_;
  std::string tentative_;
};

}  // namespace whisper_s4y
