// What FFmpeg prints.
#pragma once

namespace whisper_s4y {

/// Keeps FFmpeg from printing on the standard error, in the whole process. For programs: the
/// library itself leaves the process's log level alone, so that what FFmpeg's demuxers say of a
/// damaged file is printed as the level asks; decoders are silent by a level of their own. Errors
/// say what matters in either case.
void silence_ffmpeg();

}  // namespace whisper_s4y
