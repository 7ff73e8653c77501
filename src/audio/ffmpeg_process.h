// What FFmpeg prints and asks for, in the whole process.
#pragma once

namespace whisper_s4y {

/// Keeps FFmpeg from printing on the standard error, in the whole process. For programs: the
/// library leaves the process's log level alone. Files, decoders and resamplers that it opens are
/// silent by a level of their own (audio/ffmpeg.h), but not what FFmpeg decodes by itself to find
/// out what is in a file. Errors say what matters in either case.
void silence_ffmpeg();

/// Keeps FFmpeg from asking for more than 256 MB at once, in the whole process: some headers state
/// tables of gigabytes, which are asked for before the file turns out to be short. For programs.
void limit_ffmpeg_memory();

}  // namespace whisper_s4y
