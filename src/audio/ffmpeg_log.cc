#include "audio/ffmpeg_log.h"

extern "C" {
#include <libavutil/log.h>
}

namespace whisper_s4y {

void silence_ffmpeg() { av_log_set_level(AV_LOG_QUIET); }

}  // namespace whisper_s4y
