// What the shared library shows to other programs; everything else in it is hidden.
#pragma once

#if defined(__GNUC__)
#define WHISPER_S4Y_API __attribute__((visibility("default")))
#define WHISPER_S4Y_HIDDEN __attribute__((visibility("hidden")))  // a member that only we call
#else
#define WHISPER_S4Y_API
#define WHISPER_S4Y_HIDDEN
#endif
