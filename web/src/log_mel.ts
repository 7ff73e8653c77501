// The log-mel spectrogram of a recording of any length, made with the model's own front end.
import type { DecoderModel } from './decoder_model.js';
import { FFT_SIZE, HOP_LENGTH, WINDOW_FRAMES, WINDOW_SAMPLES } from './front_end.js';
import { LOOK_AHEAD } from './sound.js';

// Frames at each end of a piece whose neighbourhood is not all there. Three, because then even the
// samples the front end reflects at the ends are zeros.
const EDGE_FRAMES = 3;
// The front end maps log10 power l to (l + 4) / 4.
const SILENCE = (-10 + 4) / 4;
const INAUDIBLE = (-7.5 + 4) / 4;
const DYNAMIC_RANGE = 8 / 4;
// How often a piece is moved when a cut-off frame at its end is louder than all whole frames.
const MOVES = 8;
/** What a walk from window to window needs: the look-ahead, a window, and some more. */
const KEPT_FRAMES = LOOK_AHEAD / HOP_LENGTH + 9000;

/** Consecutive frames. */
interface Piece {
  begin: number;
  count: number;
  /** [num_mel_bins, count] */
  values: Float32Array;
  /** [count]: of each frame. */
  loudest: Float32Array;
}

/**
 * Log-mel frames of a recording as openai/whisper's log_mel_spectrogram(audio, padding = 480000)
 * gives them: silence follows the recording, and values are clamped at a maximum - 8 (in log10),
 * which is that of all frames heard up to now. The same rules as src/transcribe/log_mel.cc, which
 * says why overlapping pieces give the exact result.
 */
export class LogMel {
  /** Whole frames of the recording. */
  readonly contentFrames: number;
  private readonly bins: number;
  /** Up to the last frame whose 400 samples reach into the recording; later ones are silence. */
  private readonly frames: number;
  private next = 0; // frame behind the last piece
  private pieces: Piece[] = []; // without gaps
  private maximum = SILENCE; // of all frames heard

  constructor(
    private readonly model: DecoderModel,
    private readonly sound: Float32Array,
  ) {
    this.bins = model.info.config.num_mel_bins;
    this.contentFrames = Math.floor(sound.length / HOP_LENGTH);
    this.frames = Math.floor((sound.length + FFT_SIZE / 2 + HOP_LENGTH - 1) / HOP_LENGTH);
  }

  /** Frames from the beginning on that were heard; of silence, when they are after the recording. */
  get heard(): number {
    return this.next;
  }

  /** Hears so much that the window at frame `begin` can be given, and what lies behind it. */
  async hear(begin: number): Promise<void> {
    if (this.pieces.length > 0 && begin < this.pieces[0]!.begin) {
      this.pieces = [];
      this.next = begin;
    }
    const until = Math.min(begin + WINDOW_FRAMES + LOOK_AHEAD / HOP_LENGTH, this.frames);
    while (this.next < until) await this.addPiece(until);
  }

  /** Frames from `next` on, as many as a piece has room for, up to `until`. */
  private async addPiece(until: number): Promise<void> {
    const { next, bins, sound } = this;
    // Local frames [first, last) of the piece are frames next, next + 1, … of the recording.
    let first = next === 0 ? 0 : EDGE_FRAMES;
    for (let move = 0; ; ++move) {
      const room = WINDOW_FRAMES - EDGE_FRAMES - (next === 0 ? move : 0);
      const last = Math.min(first + until - next, room);
      const origin = (next - first) * HOP_LENGTH;
      const begin = next === 0 ? 0 : next * HOP_LENGTH - FFT_SIZE / 2;
      const end = Math.min(origin + (last - 1) * HOP_LENGTH + FFT_SIZE / 2, sound.length);
      const samples = new Float32Array(WINDOW_SAMPLES);
      if (begin < end) samples.set(sound.subarray(begin, end), begin - origin);
      const logmel = await this.model.features(samples);
      const kept = maxOf(logmel, bins, first, last);
      const cutOff = Math.max(maxOf(logmel, bins, 0, first), maxOf(logmel, bins, last, WINDOW_FRAMES));
      if (cutOff <= Math.max(kept, this.maximum) || move === MOVES) {
        this.maximum = Math.max(this.maximum, kept);
        this.keep(logmel, first, last - first);
        return;
      }
      if (next > 0) ++first;
    }
  }

  private keep(logmel: Float32Array, first: number, count: number): void {
    const values = new Float32Array(this.bins * count);
    const loudest = new Float32Array(count).fill(SILENCE);
    for (let bin = 0; bin < this.bins; ++bin) {
      const from = bin * WINDOW_FRAMES + first;
      values.set(logmel.subarray(from, from + count), bin * count);
      for (let i = 0; i < count; ++i) loudest[i] = Math.max(loudest[i]!, logmel[from + i]!);
    }
    this.pieces.push({ begin: this.next, count, values, loudest });
    this.next += count;
    while (this.next - (this.pieces[0]!.begin + this.pieces[0]!.count) >= KEPT_FRAMES) {
      this.pieces.shift();
    }
  }

  private get floor(): number {
    return this.maximum - DYNAMIC_RANGE;
  }

  /**
   * Frames [begin, begin + count) followed by 0 up to 3000 frames, as openai/whisper transcribe.py
   * pads a window: logmel [num_mel_bins, 3000]. count <= 3000.
   */
  paddedWindow(begin: number, count: number): Promise<Float32Array> {
    return this.copy(begin, count, 0);
  }

  /**
   * Frames [begin, begin + 3000); after the recording they are those of silence: logmel
   * [num_mel_bins, 3000]. What the language is detected on.
   */
  async window(begin: number): Promise<Float32Array> {
    await this.hear(begin);
    return this.copy(begin, WINDOW_FRAMES, Math.max(SILENCE, this.floor));
  }

  private async copy(begin: number, count: number, rest: number): Promise<Float32Array> {
    await this.hear(begin);
    const logmel = new Float32Array(this.bins * WINDOW_FRAMES).fill(rest);
    const lowest = this.floor;
    for (const piece of this.pieces) {
      const from = Math.max(begin, piece.begin);
      const to = Math.min(begin + count, piece.begin + piece.count);
      for (let bin = 0; from < to && bin < this.bins; ++bin) {
        const source = bin * piece.count - piece.begin;
        const target = bin * WINDOW_FRAMES - begin;
        for (let frame = from; frame < to; ++frame) {
          logmel[target + frame] = Math.max(piece.values[source + frame]!, lowest);
        }
      }
    }
    return logmel;
  }

  /**
   * Whether nothing in the frames [begin, begin + count) can be heard: all is as quiet as the last
   * bit of 16-bit samples, or 80 dB below the loudest frame. The frames were heard.
   */
  isSilent(begin: number, count: number): boolean {
    const limit = Math.max(INAUDIBLE, this.floor);
    for (const piece of this.pieces) {
      const from = Math.max(begin, piece.begin) - piece.begin;
      const to = Math.min(begin + count, piece.begin + piece.count) - piece.begin;
      for (let i = from; i < to; ++i) {
        if (piece.loudest[i]! > limit) return false;
      }
    }
    return true;
  }
}

/** The largest value in the frames [begin, end) of logmel [bins, 3000]. */
function maxOf(logmel: Float32Array, bins: number, begin: number, end: number): number {
  let max = SILENCE;
  for (let bin = 0; bin < bins; ++bin) {
    const row = bin * WINDOW_FRAMES;
    for (let i = row + begin; i < row + end; ++i) max = Math.max(max, logmel[i]!);
  }
  return max;
}
