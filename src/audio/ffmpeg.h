// FFmpeg's handles as owned objects. Includes FFmpeg, so only src/audio may include this.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/dict.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
}

#include <memory>
#include <string>

namespace whisper_s4y {

struct FormatCloser {
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};
struct CodecFreer {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct PacketFreer {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FrameFreer {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct SwrFreer {
  void operator()(SwrContext* swr) const { swr_free(&swr); }
};

using FormatPtr = std::unique_ptr<AVFormatContext, FormatCloser>;
using CodecPtr = std::unique_ptr<AVCodecContext, CodecFreer>;
using PacketPtr = std::unique_ptr<AVPacket, PacketFreer>;
using FramePtr = std::unique_ptr<AVFrame, FrameFreer>;
using SwrPtr = std::unique_ptr<SwrContext, SwrFreer>;

/// FFmpeg's words for an error code, without a full stop.
[[nodiscard]] std::string ffmpeg_error(int code);

/// Added to the level of a message, of which 8 bits count: more than any log level lets pass.
inline constexpr int kSilent = 100;

/// Keeps what FFmpeg would print of this file from being printed, whatever the process's log level;
/// to be called before it is opened.
void silence(AVFormatContext& format);
/// The same of this stream.
void silence(AVCodecContext& codec);

/// What was allocated; FFmpeg reports lack of memory by a null pointer.
template <typename T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

}  // namespace whisper_s4y
