// Models and transcribers behind C's handles.
#pragma once

#include "whisper_s4y/model.h"
#include "whisper_s4y/transcriber.h"
#include "whisper_s4y/whisper_s4y.h"

struct whisper_s4y_model {
  whisper_s4y::Model model;
};

struct whisper_s4y_transcriber {
  whisper_s4y::Transcriber transcriber;
};
