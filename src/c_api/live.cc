#include "whisper_s4y/live.h"

#include <memory>

#include "c_api/model.h"
#include "c_api/options.h"

struct whisper_s4y_live {
  std::unique_ptr<whisper_s4y::SpeechDetector> detector;
  std::unique_ptr<whisper_s4y::LiveTranscriber> live;
};

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

whisper_s4y_status whisper_s4y_live_create(whisper_s4y_transcriber* transcriber,
                                           const whisper_s4y_options* options,
                                           void (*on_text)(void* user_data,
                                                           const whisper_s4y_live_text* text),
                                           void* user_data, whisper_s4y_live** live) {
  return guarded_call([&] {
    needed(live, "live") = nullptr;
    Transcriber& target = needed(transcriber, "transcriber").transcriber;
    if (on_text == nullptr) fail(ErrorCode::invalid_argument, "The argument on_text is NULL.");
    auto made = std::make_unique<whisper_s4y_live>();
    made->detector = make_speech_detector();
    made->live = std::make_unique<LiveTranscriber>(
        target, *made->detector, options_of<LiveOptions>(options, "options"),
        [on_text, user_data](const LiveText& text) {
          const whisper_s4y_live_text view = {.struct_size = sizeof(whisper_s4y_live_text),
                                              .confirmed = text.confirmed.c_str(),
                                              .tentative = text.tentative.c_str(),
                                              .language = text.language.c_str(),
                                              .start = text.start,
                                              .end = text.end,
                                              .is_final = text.is_final ? 1 : 0};
          on_text(user_data, &view);
        });
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
