#include "output/cues.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/utf8.h"

namespace whisper_s4y {
namespace {

constexpr int kUnlimited = 1000;    // characters or words; the reference's number
constexpr double kLongPause = 3.0;  // seconds after which a new cue begins

/// Words of a cue; their text begins with \n where a line begins.
struct CueWords {
  std::vector<Word> words;
  std::string channel;
};

std::string without_arrows(std::string text) {
  // Subtitles have "-->" between times only.
  for (size_t at = 0; (at = text.find("-->", at)) != std::string::npos; at += 2) {
    text.replace(at, 3, "->");
  }
  return text;
}

int length(std::string_view text) { return static_cast<int>(code_points(text).size()); }

/// Lays words out in lines and cues.
class Layout {
 public:
  explicit Layout(const OutputOptions& options)
      : keep_segments_(!options.max_line_count || !options.max_line_width),
        line_width_(options.max_line_width.value_or(kUnlimited)),
        line_count_(options.max_line_count),
        words_(static_cast<size_t>(options.max_words_per_line.value_or(kUnlimited))) {}

  std::vector<CueWords> run(const std::vector<Segment>& segments) {
    for (const Segment& segment : segments) {
      if (!segment.words.empty()) {
        last_ = segment.words.front().start;
        break;
      }
    }
    for (const Segment& segment : segments) {
      if (segment.channel != cue_.channel) {
        end_cue();
        line_length_ = 0;
        cue_.channel = segment.channel;
      }
      for (size_t i = 0; i < segment.words.size(); ++i) add(segment.words[i], i % words_ == 0);
    }
    end_cue();
    return std::move(cues_);
  }

 private:
  void add(Word word, bool first_of_chunk) {
    word.word = on_one_line(word.word);
    const bool long_pause = !keep_segments_ && word.start - last_ > kLongPause;
    const bool segment_break = first_of_chunk && !cue_.words.empty() && keep_segments_;
    const bool has_room = line_length_ + length(word.word) <= line_width_;
    if (line_length_ > 0 && has_room && !long_pause && !segment_break) {
      line_length_ += length(word.word);
    } else {
      word.word = std::string(trimmed(word.word));
      const int stripped_length = length(word.word);
      const bool full = line_count_ && (long_pause || lines_ >= *line_count_);
      if (segment_break || (!cue_.words.empty() && full)) {
        end_cue();
      } else if (line_length_ > 0) {
        ++lines_;
        word.word.insert(0, "\n");
      }
      line_length_ = stripped_length;
    }
    last_ = word.start;
    cue_.words.push_back(std::move(word));
  }

  void end_cue() {
    if (!cue_.words.empty()) {
      cues_.push_back({std::exchange(cue_.words, {}), cue_.channel});
    }
    lines_ = 1;
  }

  const bool keep_segments_;  // cues do not run across segments
  const int line_width_;
  const std::optional<int> line_count_;
  const size_t words_;

  std::vector<CueWords> cues_;
  CueWords cue_;
  int line_length_ = 0;  // characters in the current line
  int lines_ = 1;        // lines in the current cue
  double last_ = 0;      // when the last word began
};

std::string text_of(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text += word.word;
  return text;
}

std::string underlined(std::string_view word) {
  // White space stays outside.
  const std::string_view end = word.substr(0, word.find(trimmed(word)));
  return std::string(end) + "<u>" + std::string(word.substr(end.size())) + "</u>";
}

// A cue per word with the word underlined, and the plain text in the pauses between them.
void append_highlighted(const CueWords& cue, std::vector<Cue>& cues) {
  const std::vector<Word>& words = cue.words;
  // Times are compared as they are printed.
  const auto milliseconds = [](double seconds) { return format_timestamp(seconds, true); };
  double last = words.front().start;
  for (size_t i = 0; i < words.size(); ++i) {
    if (milliseconds(last) != milliseconds(words[i].start)) {
      cues.push_back({last, words[i].start, text_of(words), cue.channel});
    }
    std::vector<Word> marked = words;
    marked[i].word = underlined(marked[i].word);
    cues.push_back({words[i].start, words[i].end, text_of(marked), cue.channel});
    last = words[i].end;
  }
}

}  // namespace

std::string as_it_is(std::string text) { return text; }

std::string on_one_line(std::string_view text) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line;
}

std::vector<Cue> cues_of(const Transcript& transcript, const OutputOptions& options,
                         Escape escape) {
  const auto& segments = transcript.segments;
  std::vector<Cue> cues;
  const bool words = std::any_of(segments.begin(), segments.end(),
                                 [](const Segment& segment) { return !segment.words.empty(); });
  if (!words) {
    for (const Segment& segment : segments) {
      cues.push_back({segment.start, segment.end,
                      escape(std::string(on_one_line(trimmed(segment.text)))), segment.channel});
    }
  } else {
    for (CueWords& cue : Layout(options).run(segments)) {
      for (Word& word : cue.words) word.word = escape(std::move(word.word));
      if (options.highlight_words) {
        append_highlighted(cue, cues);
      } else {
        cues.push_back(
            {cue.words.front().start, cue.words.back().end, text_of(cue.words), cue.channel});
      }
    }
  }
  // Channels that speak at once; WebVTT wants cues in the order of their beginnings.
  std::ranges::stable_sort(cues, {}, &Cue::start);
  for (Cue& cue : cues) {
    cue.text = without_arrows(std::move(cue.text));
    if (std::llrint(1000 * cue.end) <= std::llrint(1000 * cue.start)) cue.end = cue.start + 0.001;
  }
  return cues;
}

}  // namespace whisper_s4y
