#include "whisper_s4y/evaluate.h"

#include "c_api/boundary.h"

using namespace whisper_s4y;
using namespace whisper_s4y::c_api;

whisper_s4y_status whisper_s4y_normalize(const char* text, const char* language,
                                         char** normalized) {
  return guarded_call([&] {
    needed(normalized, "normalized") = nullptr;
    *normalized =
        copy_text(normalize(needed_text(text, "text"), needed_text(language, "language")));
  });
}

whisper_s4y_status whisper_s4y_word_errors(const char* reference, const char* hypothesis,
                                           whisper_s4y_errors* errors) {
  return guarded_call([&] {
    const ErrorCounts counts =
        word_errors(needed_text(reference, "reference"), needed_text(hypothesis, "hypothesis"));
    give(errors,
         {.struct_size = sizeof(whisper_s4y_errors),
          .substitutions = counts.substitutions,
          .deletions = counts.deletions,
          .insertions = counts.insertions,
          .reference = counts.reference},
         "errors");
  });
}
