// Recordings as the model hears them: mono, 16 kHz.
import { WhisperError, asWhisperError, kindOf } from './errors.js';
import { SAMPLE_RATE } from './front_end.js';

/** A recording: a file, its bytes, decoded sound, or samples: mono, 16 kHz, from -1 to 1. */
export type AudioInput = Blob | ArrayBuffer | AudioBuffer | Float32Array;

/** Throws WhisperError naming the first sample that is infinite or NaN (src/common/check_samples.cc). */
export function checkSamples(samples: Float32Array): void {
  const bad = samples.findIndex((sample) => !Number.isFinite(sample));
  if (bad < 0) return;
  const found = String(samples[bad]).toLowerCase().replace('infinity', 'inf');
  throw new WhisperError('invalid_argument', `Samples are finite numbers; the one at ${bad} is ${found}.`);
}

const channelsOf = (buffer: AudioBuffer) =>
  Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));

/** The mean of all channels. */
function mono(buffer: AudioBuffer): Float32Array {
  const channels = channelsOf(buffer);
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

/** A copy of the bytes: decoding takes them away from their owner. */
async function bytesOf(audio: Blob | ArrayBuffer, name: string): Promise<ArrayBuffer> {
  try {
    return 'arrayBuffer' in audio ? await audio.arrayBuffer() : audio.slice(0);
  } catch (error) {
    // A file that was changed or removed since; bytes that were given away.
    throw new WhisperError('bad_file', `${name} can be read no more.`);
  }
}

async function decodeFile(audio: Blob | ArrayBuffer): Promise<AudioBuffer> {
  const name = 'name' in audio ? String(audio.name) : 'This';
  const bytes = await bytesOf(audio, name);
  // decodeAudioData() gives what it decodes the context's sample rate.
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  try {
    return await context.decodeAudioData(bytes);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    throw new WhisperError('bad_file', `${name} is no recording that this browser can decode.`);
  }
}

async function decode(audio: AudioInput): Promise<Float32Array> {
  switch (kindOf(audio)) {
    case 'Float32Array':
      checkSamples(audio as Float32Array);
      return audio as Float32Array;
    case 'AudioBuffer':
      // Resampling would spread what is no number.
      channelsOf(audio as AudioBuffer).forEach(checkSamples);
      return mono(await resampled(audio as AudioBuffer));
    case 'Blob':
    case 'File':
    case 'ArrayBuffer': {
      const decoded = mono(await decodeFile(audio as Blob | ArrayBuffer));
      checkSamples(decoded);
      return decoded;
    }
    default:
      throw new WhisperError(
        'invalid_argument',
        `The recording is of the type ${kindOf(audio)}, expected a File or Blob, an ArrayBuffer, an AudioBuffer or a Float32Array.`,
      );
  }
}

/**
 * Decodes whatever the browser can play and makes it mono at 16 kHz. Throws WhisperError when it can
 * not, and when a sample is no finite number.
 */
export async function decodeAudio(audio: AudioInput): Promise<Float32Array> {
  try {
    return await decode(audio);
  } catch (error) {
    throw asWhisperError(error);
  }
}
