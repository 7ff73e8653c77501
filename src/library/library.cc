// The shared library is made of the rooms' archives; this is the object that makes it one.
#include "whisper_s4y/version.h"
