// Subtitles of segments (openai/whisper utils.py).

/** What subtitles need of a segment. */
export interface Cue {
  start: number;
  end: number;
  text: string;
}

function time(seconds: number, mark: string, hasHours: boolean): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(ms / 3600000);
  const rest = `${two(Math.floor(ms / 60000) % 60)}:${two(Math.floor(ms / 1000) % 60)}`;
  return `${hasHours || hours > 0 ? `${two(hours)}:` : ''}${rest}${mark}${String(ms % 1000).padStart(3, '0')}`;
}

/** A blank line would end the cue. */
const lineOf = (text: string) => text.trim().replaceAll('-->', '->').replace(/\s*[\r\n]\s*[\r\n]\s*/g, '\n');

/** SubRip. */
export function toSrt(cues: readonly Cue[]): string {
  return cues
    .map(
      ({ start, end, text }, i) =>
        `${i + 1}\n${time(start, ',', true)} --> ${time(end, ',', true)}\n${lineOf(text)}\n\n`,
    )
    .join('');
}

/** WebVTT. */
export function toVtt(cues: readonly Cue[]): string {
  const parts = cues.map(
    ({ start, end, text }) => `${time(start, '.', false)} --> ${time(end, '.', false)}\n${lineOf(text)}\n\n`,
  );
  return `WEBVTT\n\n${parts.join('')}`;
}
