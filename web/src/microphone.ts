// Sound of a MediaStream as samples at 16 kHz, as it comes.
import { WhisperError } from './errors.js';
import { SAMPLE_RATE } from './front_end.js';
import { Resampler } from './resampler.js';

// An AudioWorklet in a file of its own would be one more to serve; a blob is part of this one.
const WORKLET = `registerProcessor('whisper-s4y-samples', class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.samples = new Float32Array(Math.round(sampleRate / 10));
    this.count = 0;
  }
  process([channels]) {
    for (let i = 0; channels.length > 0 && i < channels[0].length; ++i) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.samples[this.count++] = sum / channels.length;
      if (this.count < this.samples.length) continue;
      this.port.postMessage(this.samples);
      this.count = 0;
    }
    return true;
  }
});`;

/** The stream in a context at 16 kHz, or at its own rate where the browser does not resample it. */
async function open(stream: MediaStream): Promise<{ context: AudioContext; source: AudioNode }> {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch (error) {
    await context.close();
    // What Firefox says of a microphone with another rate.
    if (!(error instanceof DOMException) || error.name !== 'NotSupportedError') throw error;
    const own = new AudioContext();
    return { context: own, source: own.createMediaStreamSource(stream) };
  }
}

/** How often it is looked whether there is still a track: stop() of one raises no event. */
const LOOK_MS = 200;

const hasSound = (stream: MediaStream) => stream.getAudioTracks().some(({ readyState }) => readyState === 'live');

/** A stream that is heard. */
export interface Hearing {
  /** Ends it, however often it is called. */
  stop(): Promise<void>;
}

/**
 * Gives samples of the stream to `onSamples`, a tenth of a second at a time, until it is stopped.
 * `onEnd` is called once when the stream itself has ended, as when the microphone is unplugged.
 */
export async function listenTo(
  stream: MediaStream,
  onSamples: (samples: Float32Array) => void,
  onEnd: () => void,
): Promise<Hearing> {
  if (stream.getAudioTracks().length === 0) {
    throw new WhisperError('invalid_argument', 'The stream has no sound: it has no audio track.');
  }
  const { context, source } = await open(stream);
  try {
    return await hear(context, source, stream, onSamples, onEnd);
  } catch (error) {
    await context.close();
    throw error;
  }
}

async function hear(
  context: AudioContext,
  source: AudioNode,
  stream: MediaStream,
  onSamples: (samples: Float32Array) => void,
  onEnd: () => void,
): Promise<Hearing> {
  const url = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
  try {
    await context.audioWorklet.addModule(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  const node = new AudioWorkletNode(context, 'whisper-s4y-samples', { numberOfOutputs: 0 });
  const resampler = context.sampleRate === SAMPLE_RATE ? null : new Resampler(context.sampleRate);
  node.port.onmessage = ({ data }: MessageEvent<Float32Array>) => onSamples(resampler ? resampler.push(data) : data);
  source.connect(node);
  // Where the page has to be clicked first nothing waits for it; it fails when it is closed before.
  if (context.state === 'suspended') void context.resume().catch(() => {});
  const watch = setInterval(() => {
    if (hasSound(stream)) return;
    clearInterval(watch);
    onEnd();
  }, LOOK_MS);
  const close = async () => {
    clearInterval(watch);
    source.disconnect();
    node.port.close();
    await context.close();
  };
  let closed: Promise<void> | null = null;
  return { stop: () => (closed ??= close()) };
}
