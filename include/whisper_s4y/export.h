// What the shared library shows to other programs; everything else in it is hidden.
#pragma once

#if defined(__GNUC__)
#define WHISPER_S4Y_API __attribute__((visibility("default")))
#else
#define WHISPER_S4Y_API
#endif
