/* A C program that knows the header and the shared library only: it makes a front end and runs it
 * on a tone. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "whisper_s4y/whisper_s4y.h"

#define WINDOW 480000

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, whisper_s4y_last_error());
  return 1;
}

int main(void) {
  whisper_s4y_model* model = NULL;
  whisper_s4y_session* session = NULL;
  whisper_s4y_tensor input = WHISPER_S4Y_INIT(whisper_s4y_tensor);
  whisper_s4y_tensor output = WHISPER_S4Y_INIT(whisper_s4y_tensor);
  float* samples;
  const float* logmel;
  size_t i;
  int loudest = 0;

  if (whisper_s4y_abi_version() != WHISPER_S4Y_ABI_VERSION) return fail("version");
  if (whisper_s4y_model_open("/no/such/file", NULL, &model) != WHISPER_S4Y_IO) return fail("code");
  if (strstr(whisper_s4y_last_error(), "/no/such/file") == NULL) return fail("sentence");
  if (whisper_s4y_model_front_end(80, NULL, &model) != WHISPER_S4Y_OK) return fail("front end");
  if (whisper_s4y_session_create(model, 1, &session) != WHISPER_S4Y_OK) return fail("session");
  whisper_s4y_model_destroy(model); /* the session keeps it */
  if (whisper_s4y_session_input(session, "features", "normalized_audio", &input) !=
          WHISPER_S4Y_OK ||
      whisper_s4y_session_output(session, "features", "logmel", &output) != WHISPER_S4Y_OK) {
    return fail("tensors");
  }
  if (input.bytes != WINDOW * sizeof(float) || output.rank != 3 || output.shape[1] != 80) {
    return fail("shapes");
  }
  samples = input.data;
  for (i = 0; i < WINDOW; ++i)
    samples[i] = 0.5F * (float)sin(2 * 3.14159265 * 1000 * (double)i / 16000);
  if (whisper_s4y_session_run(session, "features", NULL) != WHISPER_S4Y_OK) return fail("run");
  logmel = output.data;
  for (i = 0; i < 80; ++i) {
    if (logmel[i * 3000 + 1500] > logmel[loudest * 3000 + 1500]) loudest = (int)i;
  }
  whisper_s4y_session_destroy(session);
  /* 1000 Hz is mel 15; the 80 bins share the 45.25 mel to 8 kHz. */
  if (loudest < 25 || loudest > 27) {
    fprintf(stderr, "the tone is in bin %d\n", loudest);
    return 1;
  }
  return 0;
}
