// Where in a recording something can be heard (src/transcribe/audible_spans.cc, sound_spans.cc).
import { FRAMES_PER_SECOND } from './front_end.js';
import type { LogMel } from './log_mel.js';
import type { SoundSpan } from './segments.js';

/** Frames of silence that part two spans; shorter silence is part of them. */
export const LONG_SILENCE = 100;

export class AudibleSpans {
  /** What was found, in order. The last one may go on. */
  readonly found: SoundSpan[] = [];
  private next = 0;
  private end = 0; // of the last span

  constructor(private readonly logMel: LogMel) {}

  /** Frames that were looked at. */
  get lookedAt(): number {
    return this.next;
  }

  /** Looks at the frames up to `until`, all of which were heard or come after the recording. */
  look(until: number): void {
    const content = this.logMel.contentFrames;
    until = Math.min(until, content);
    if (this.next >= until) return;
    for (; this.next < until; ++this.next) {
      if (this.logMel.isSilent(this.next, 1)) continue;
      const isParted = this.next - this.end >= LONG_SILENCE;
      if (this.found.length === 0 || isParted) {
        this.found.push({ begin: (isParted ? this.next : 0) / FRAMES_PER_SECOND, end: 0 });
      }
      this.end = this.next + 1;
      this.found.at(-1)!.end = this.end / FRAMES_PER_SECOND;
    }
    const endsSoon = content === until && until - this.end < LONG_SILENCE;
    if (endsSoon && this.found.length > 0) this.found.at(-1)!.end = until / FRAMES_PER_SECOND;
  }

  /** The span that most of the time is in, or that is the nearest; undefined when there is none. */
  main(start: number, end: number): SoundSpan | undefined {
    const overlap = (span: SoundSpan) => Math.min(span.end, end) - Math.max(span.begin, start);
    let best: SoundSpan | undefined;
    for (const span of this.found) {
      if (best === undefined || overlap(span) > overlap(best)) best = span;
    }
    return best;
  }
}
