#include "transcribe/language_stretches.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "transcribe/log_mel.h"
#include "whisper_s4y/audio.h"

namespace whisper_s4y {
namespace {

int64_t samples(double seconds) { return static_cast<int64_t>(seconds * kSampleRate); }

const int64_t kShortPiece = samples(2.0);
// Longest piece that a short one makes with its neighbour.
const int64_t kLongestPiece = samples(20.0);
// What a stretch keeps of the pause before it.
const int64_t kLead = samples(0.4);

// Speech of this length has its probabilities taken at their word; shorter speech counts less.
const int64_t kTelling = samples(4.0);
// No language is less likely than this, so that no single piece decides.
constexpr float kLeastProb = 1e-3F;
// Log-odds against a change of language at a pause.
constexpr float kChange = 2.0F;
// How far pieces are looked at ahead in a pipe before a language is settled.
const int64_t kLanguagesAheadInPipe = samples(30.0);

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

// What speech of so many samples says for a language.
float evidence(float probability, int64_t samples) {
  const float weight = static_cast<float>(samples) / static_cast<float>(kTelling);
  return std::min(1.0F, weight) * std::log(probability + kLeastProb);
}

// Between two pieces; none when they would be too long together.
int64_t pause(const SpeechSegment& left, const SpeechSegment& right) {
  return right.end - left.start > kLongestPiece ? kNone : right.start - left.end;
}

// What a piece and the clips have in common, in order.
std::vector<SpeechSegment> within(const ClipSamples& clips, const SpeechSegment& piece) {
  std::vector<SpeechSegment> parts;
  for (size_t i = 0; i < clips.size(); ++i) {
    const SpeechSegment part = {.start = std::max(piece.start, clips[i].start),
                                .end = std::min(piece.end, clips[i].end)};
    if (part.size() > 0) parts.push_back(part);
  }
  std::ranges::sort(parts, {}, &SpeechSegment::start);
  std::vector<SpeechSegment> result;
  for (const SpeechSegment& part : parts) {
    if (!result.empty() && part.start < result.back().end) {
      result.back().end = std::max(result.back().end, part.end);
    } else {
      result.push_back(part);
    }
  }
  return result;
}

}  // namespace

VadOptions piece_options() {
  return {.max_speech_duration_s = 20.0, .min_silence_duration_ms = 250, .speech_pad_ms = 100};
}

void PiecesOfSpeech::take(const SpeechSegmenter& segmenter, bool is_over) {
  const auto& segments = segmenter.segments();
  least_start_ = segmenter.least_start();
  for (;;) {
    if (!short_) {
      if (used_ == segments.size()) break;
      short_ = segments[used_++];
    }
    if (short_->size() < kShortPiece) {
      const SpeechSegment* next = used_ < segments.size() ? &segments[used_] : nullptr;
      const int64_t before = before_ ? pause(*before_, *short_) : kNone;
      int64_t after = kNone;
      if (next != nullptr) {
        after = pause(*short_, *next);
      } else if (!is_over && least_start_ - short_->start <= kLongestPiece) {
        after = least_start_ - short_->end;  // at least
        if (before > after) break;
      }
      if (before <= after && before != kNone) {
        before_->end = short_->end;
        short_.reset();
        continue;
      }
      if (after != kNone) {
        short_->end = next->end;
        ++used_;
        continue;
      }
    }
    if (before_) pieces_.push_back(*before_);
    before_ = std::exchange(short_, std::nullopt);
  }
  if (before_ && !short_ && (is_over || least_start_ - before_->start > kLongestPiece)) {
    pieces_.push_back(*before_);
    before_.reset();
  }
}

std::optional<SpeechSegment> PiecesOfSpeech::next() {
  if (pieces_.empty()) return std::nullopt;
  const SpeechSegment piece = pieces_.front();
  pieces_.pop_front();
  return piece;
}

int64_t PiecesOfSpeech::least_start() const {
  if (!pieces_.empty()) return pieces_.front().start;
  if (before_) return before_->start;
  return short_ ? short_->start : least_start_;
}

void LanguageCourse::add(SpokenPiece piece) {
  const size_t languages = piece.probs.size();
  const bool is_first = scores_.empty();
  scores_.resize(languages);
  const auto best = static_cast<size_t>(std::ranges::max_element(scores_) - scores_.begin());
  const float changed = scores_[best] - (is_first ? 0.0F : kChange);
  std::vector<size_t> before(languages);
  for (size_t language = 0; language < languages; ++language) {
    const bool changes = scores_[language] < changed;
    before[language] = changes ? best : language;
    scores_[language] = (changes ? changed : scores_[language]) +
                        evidence(piece.probs[language].second, piece.place.size());
  }
  waiting_.push_back({std::move(piece), std::move(before)});

  // Where all courses come from the same language.
  std::vector<size_t> origins(languages);
  std::iota(origins.begin(), origins.end(), size_t{0});
  for (size_t i = waiting_.size(); --i > 0;) {
    for (size_t& origin : origins) origin = waiting_[i].before[origin];
    if (std::ranges::all_of(origins, [&](size_t origin) { return origin == origins[0]; })) {
      decide_first(i, origins[0]);
      break;
    }
  }
}

// The first `count` of those that wait, of which the last one is in that language.
void LanguageCourse::decide_first(size_t count, size_t language) {
  std::vector<size_t> languages(count);
  for (size_t i = count; i-- > 0;) {
    languages[i] = language;
    language = waiting_[i].before[language];
  }
  for (const size_t one : languages) {
    const auto& [name, probability] = waiting_.front().piece.probs[one];
    decided_.push_back({waiting_.front().piece.place, name, probability});
    waiting_.pop_front();
  }
}

void LanguageCourse::decide(int64_t sample) {
  const auto count = static_cast<size_t>(std::ranges::count_if(
      waiting_, [&](const Waiting& one) { return one.piece.place.start < sample; }));
  if (count == 0) return;
  // Which language of the last one to decide each course comes from.
  std::vector<size_t> origins(scores_.size());
  std::iota(origins.begin(), origins.end(), size_t{0});
  for (size_t i = waiting_.size(); --i >= count;) {
    for (size_t& origin : origins) origin = waiting_[i].before[origin];
  }
  const auto best = static_cast<size_t>(std::ranges::max_element(scores_) - scores_.begin());
  const size_t language = origins[best];
  for (size_t i = 0; i < scores_.size(); ++i) {
    if (origins[i] != language) scores_[i] = -std::numeric_limits<float>::infinity();
  }
  decide_first(count, language);
}

std::optional<LanguageCourse::Decided> LanguageCourse::next() {
  if (decided_.empty()) return std::nullopt;
  Decided piece = std::move(decided_.front());
  decided_.pop_front();
  return piece;
}

const SpeechSegment* LanguageCourse::undecided() const {
  return waiting_.empty() ? nullptr : &waiting_.front().piece.place;
}

std::string likeliest_after(const std::string& before, const LanguageProbs& probs, size_t samples) {
  const auto score = [&](const std::pair<std::string, float>& one) {
    const bool changes = !before.empty() && one.first != before;
    return evidence(one.second, static_cast<int64_t>(samples)) - (changes ? kChange : 0.0F);
  };
  return std::ranges::max_element(probs, {}, score)->first;
}

// Most of a long pause goes with the speech before it: a window begins with speech.
int64_t StretchBuilder::boundary_before(int64_t start) const {
  return std::max(start - kLead, (end_ + start) / 2);
}

void StretchBuilder::add(const LanguageCourse::Decided& piece) {
  if (stretches_.empty() || stretches_.back().language != piece.language) {
    const int64_t start = boundary_before(piece.place.start);
    if (!stretches_.empty()) stretches_.back().end = start;
    stretches_.push_back(
        {.start = stretches_.empty() ? 0 : start, .end = kNone, .language = piece.language});
    speech_ = 0.0F;
  }
  LanguageStretch& stretch = stretches_.back();
  const auto length = static_cast<float>(piece.place.size());
  speech_ += length;
  stretch.probability += (piece.probability - stretch.probability) * length / speech_;
  end_ = piece.place.end;
}

void StretchBuilder::finish(int64_t audio_length) {
  if (!stretches_.empty()) stretches_.back().end = audio_length;
}

HeardLanguages::HeardLanguages(DecoderModel& model, const Tokenizer& tokenizer, SoundBuffer& sound,
                               SpeechListener& listener, const ClipSamples& clips,
                               const TranscribeOptions& options,
                               const TranscribeCallbacks& callbacks)
    : model_(model),
      sound_(sound),
      listener_(listener),
      clips_(clips),
      callbacks_(callbacks),
      window_(model, tokenizer, options),
      segmenter_(piece_options()) {
  listener_.tell(segmenter_, [this] { take_pieces(); });
}

void HeardLanguages::take_pieces() {
  pieces_.take(segmenter_, listener_.is_over());
  while (const auto piece = pieces_.next()) {
    for (const SpeechSegment& part : within(clips_, *piece)) not_asked_.push_back(part);
  }
  // Before they are forgotten.
  while (!not_asked_.empty() && not_asked_.front().start < listener_.heard() - kLookAhead) {
    ask(not_asked_.front());
    not_asked_.pop_front();
  }
}

void HeardLanguages::ask(const SpeechSegment& piece) {
  const std::vector<float> samples = sound_.copy(piece.start, piece.end);
  MemorySound sound(samples);
  LogMel log_mel(model_, sound);
  window_.encode_with_silence(log_mel, 0);
  course_.add({piece, window_.language_probs()});
  while (const auto decided = course_.next()) builder_.add(*decided);
}

int64_t HeardLanguages::known() const {
  if (is_complete_) return kNone;
  if (builder_.stretches().empty()) return 0;
  const int64_t start = course_.undecided() != nullptr ? course_.undecided()->start
                        : !not_asked_.empty()          ? not_asked_.front().start
                                                       : pieces_.least_start();
  return builder_.boundary_before(start);
}

void HeardLanguages::hear(int64_t until) {
  const auto ahead = [&](int64_t sample) {
    return std::max(sound_.look_ahead(sample), sample + kLanguagesAheadInPipe);
  };
  while (known() < until) {
    const SpeechSegment* undecided = course_.undecided();
    if (!not_asked_.empty()) {
      if (callbacks_.cancelled && callbacks_.cancelled()) {
        is_complete_ = true;
        return;
      }
      ask(not_asked_.front());
      not_asked_.pop_front();
    } else if (undecided != nullptr &&
               (listener_.is_over() ||
                listener_.heard() >= ahead(std::max(until, undecided->end)))) {
      course_.decide(std::max(until + kLead, undecided->end));
      while (const auto decided = course_.next()) builder_.add(*decided);
    } else if (listener_.is_over()) {
      builder_.finish(listener_.heard());
      is_complete_ = true;
    } else if (builder_.stretches().empty() && undecided == nullptr && !sound_.can_rewind() &&
               listener_.heard() >= kLookAhead) {
      return;  // in a pipe nothing can be transcribed later than so
    } else {
      listener_.hear();
    }
  }
}

const LanguageStretch* HeardLanguages::at(int64_t sample, int64_t until) {
  hear(std::max(until, int64_t{1}));
  const auto& stretches = builder_.stretches();
  if (stretches.empty()) return nullptr;
  const auto found = std::ranges::find_if(
      stretches, [&](const LanguageStretch& stretch) { return sample < stretch.end; });
  return found == stretches.end() ? &stretches.back() : &*found;
}

const LanguageStretch* JoinedLanguages::at(int64_t sample, int64_t until) {
  if (!speech_.map()) return nullptr;
  const SpeechTimestampsMap& map = *speech_.map();
  const int64_t known = speech_.heard();
  until = std::min(until, known);
  stretch_ = {.start = 0, .end = kNone};
  for (int64_t at = std::min(sample, known - 1);;) {
    const int64_t original = map.original_sample(at);
    const int64_t part_end = map.segment_of(at).end;
    const LanguageStretch* stretch =
        languages_.at(original, std::min(part_end, original + std::max<int64_t>(1, until - at)));
    if (stretch == nullptr) return nullptr;
    if (stretch_.language.empty()) {
      stretch_.language = stretch->language;
      stretch_.probability = stretch->probability;
    } else if (stretch_.language != stretch->language) {
      stretch_.end = at;
      return &stretch_;
    }
    at += std::min(stretch->end, part_end) - original;
    if (at >= until) return &stretch_;
  }
}

}  // namespace whisper_s4y
