#include "whisper_s4y/live.h"

#include <memory>
#include <utility>

#include "c_api/callbacks.h"
#include "c_api/model.h"
#include "c_api/options.h"
#include "c_api/transcript.h"

struct whisper_s4y_live {
  std::unique_ptr<whisper_s4y::SpeechDetector> detector;
  std::unique_ptr<whisper_s4y::LiveTranscriber> live;
};

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

namespace {

whisper_s4y_live_text c_live_text(const LiveText& text) {
  return {.struct_size = sizeof(whisper_s4y_live_text),
          .confirmed = text.confirmed.c_str(),
          .tentative = text.tentative.c_str(),
          .language = text.language.c_str(),
          .start = text.start,
          .end = text.end,
          .is_final = text.is_final ? 1 : 0,
          .word_count = text.words.size(),
          .object = &text};
}

}  // namespace

whisper_s4y_status whisper_s4y_live_create(whisper_s4y_transcriber* transcriber,
                                           const whisper_s4y_options* options,
                                           void (*on_text)(void* user_data,
                                                           const whisper_s4y_live_text* text),
                                           void* user_data, whisper_s4y_live** live) {
  whisper_s4y_callbacks callbacks = WHISPER_S4Y_INIT(whisper_s4y_callbacks);
  callbacks.user_data = user_data;
  return whisper_s4y_live_open(transcriber, options, on_text, &callbacks, live);
}

whisper_s4y_status whisper_s4y_live_open(
    whisper_s4y_transcriber* transcriber, const whisper_s4y_options* options,
    void (*on_text)(void* user_data, const whisper_s4y_live_text* text),
    const whisper_s4y_callbacks* callbacks, whisper_s4y_live** live) {
  return guarded_call([&] {
    needed(live, "live") = nullptr;
    Transcriber& target = needed(transcriber, "transcriber").transcriber;
    if (on_text == nullptr) fail(ErrorCode::invalid_argument, "The argument on_text is NULL.");
    const Callbacks given(callbacks);
    LiveCallbacks heard;
    heard.on_text = [on_text, user_data = given.c.user_data](const LiveText& text) {
      const whisper_s4y_live_text view = c_live_text(text);
      on_text(user_data, &view);
    };
    heard.cancelled = given.cancelled;
    heard.on_warning = given.on_warning;
    auto made = std::make_unique<whisper_s4y_live>();
    made->detector = make_speech_detector(given.on_warning);
    made->live = std::make_unique<LiveTranscriber>(
        target, *made->detector, options_of<LiveOptions>(options, "options"), std::move(heard));
    *live = made.release();
  });
}

void whisper_s4y_live_destroy(whisper_s4y_live* live) { delete live; }

whisper_s4y_status whisper_s4y_live_push(whisper_s4y_live* live, const float* samples,
                                         size_t count) {
  return guarded_call([&] { needed(live, "live").live->push(numbers(samples, count, "samples")); });
}

whisper_s4y_status whisper_s4y_live_finish(whisper_s4y_live* live) {
  return guarded_call([&] { needed(live, "live").live->finish(); });
}

whisper_s4y_status whisper_s4y_live_text_word(const whisper_s4y_live_text* text, size_t index,
                                              whisper_s4y_word* word) {
  return guarded_call([&] {
    const whisper_s4y_live_text known = taken(&needed(text, "text"), "text");
    const auto* object = static_cast<const LiveText*>(known.object);
    const auto& words = needed(object, "text.object").words;
    if (index >= words.size()) {
      fail(ErrorCode::invalid_argument, "There is no word {}: the text has {}.", index,
           words.size());
    }
    give(word, c_word(words[index]), "word");
  });
}
