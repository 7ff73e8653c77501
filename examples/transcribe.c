/* Prints what is said in a recording, from C99:
 *
 *     transcribe_c whisper-base.tflite talk.mp3 [LANGUAGE]
 */
#include <stdio.h>

#include "whisper_s4y/whisper_s4y.h"

static void print_segment(void* user_data, const whisper_s4y_segment* segment) {
  FILE* out = user_data;
  fprintf(out, "%7.2f %7.2f %s\n", segment->start, segment->end, segment->text);
  fflush(out);
}

static int transcribe(const char* model_path, const char* recording, const char* language) {
  whisper_s4y_model* model = NULL;
  whisper_s4y_transcriber* transcriber = NULL;
  whisper_s4y_options* options = NULL;
  whisper_s4y_transcript* transcript = NULL;
  whisper_s4y_callbacks callbacks = WHISPER_S4Y_INIT(whisper_s4y_callbacks);
  whisper_s4y_status status;

  callbacks.user_data = stdout;
  callbacks.on_segment = print_segment;
  status = whisper_s4y_options_create(WHISPER_S4Y_TRANSCRIBE_OPTIONS, &options);
  if (status == WHISPER_S4Y_OK && language != NULL) {
    status = whisper_s4y_options_set(options, "language", language);
  }
  if (status == WHISPER_S4Y_OK) status = whisper_s4y_model_open(model_path, NULL, &model);
  if (status == WHISPER_S4Y_OK) status = whisper_s4y_transcriber_create(model, &transcriber);
  if (status == WHISPER_S4Y_OK) {
    status =
        whisper_s4y_transcribe_file(transcriber, recording, NULL, options, &callbacks, &transcript);
  }
  if (status == WHISPER_S4Y_OK) {
    printf("%.1f s, language %s\n", whisper_s4y_transcript_duration(transcript),
           whisper_s4y_transcript_language(transcript));
  } else {
    fprintf(stderr, "%s\n", whisper_s4y_last_error());
  }
  whisper_s4y_transcript_destroy(transcript);
  whisper_s4y_transcriber_destroy(transcriber);
  whisper_s4y_model_destroy(model);
  whisper_s4y_options_destroy(options);
  return status == WHISPER_S4Y_OK ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: %s MODEL RECORDING [LANGUAGE]\n", argv[0]);
    return 2;
  }
  return transcribe(argv[1], argv[2], argc > 3 ? argv[3] : NULL);
}
