#include "audio/ffmpeg_process.h"

extern "C" {
#include <libavutil/log.h>
#include <libavutil/mem.h>
}

namespace whisper_s4y {

void silence_ffmpeg() { av_log_set_level(AV_LOG_QUIET); }

void limit_ffmpeg_memory() { av_max_alloc(size_t{256} << 20); }

}  // namespace whisper_s4y
