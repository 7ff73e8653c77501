// Recordings as the model hears them: mono, 16 kHz.
import { WhisperError } from './errors.js';
import { SAMPLE_RATE } from './front_end.js';

/** A recording: a file, its bytes, decoded sound, or samples: mono, 16 kHz, from -1 to 1. */
export type AudioInput = Blob | ArrayBuffer | AudioBuffer | Float32Array;

/** The mean of all channels. */
function mono(buffer: AudioBuffer): Float32Array {
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
  if (channels.length === 1) return channels[0]!;
  return Float32Array.from(
    { length: buffer.length },
    (_, i) => channels.reduce((sum, channel) => sum + channel[i]!, 0) / channels.length,
  );
}

async function resampled(buffer: AudioBuffer): Promise<AudioBuffer> {
  if (buffer.sampleRate === SAMPLE_RATE) return buffer;
  const length = Math.max(1, Math.round(buffer.duration * SAMPLE_RATE));
  const context = new OfflineAudioContext(buffer.numberOfChannels, length, SAMPLE_RATE);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return context.startRendering();
}

/**
 * Decodes whatever the browser can play and makes it mono at 16 kHz. Throws WhisperError when it can
 * not.
 */
export async function decodeAudio(audio: AudioInput): Promise<Float32Array> {
  if (audio instanceof Float32Array) return audio;
  if (typeof AudioBuffer !== 'undefined' && audio instanceof AudioBuffer) return mono(await resampled(audio));
  const bytes = audio instanceof Blob ? await audio.arrayBuffer() : (audio as ArrayBuffer).slice(0);
  // decodeAudioData() gives what it decodes the context's sample rate.
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  try {
    return mono(await context.decodeAudioData(bytes));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const name = audio instanceof File ? audio.name : 'This';
    throw new WhisperError('bad_file', `${name} is no recording that this browser can decode.`);
  }
}
