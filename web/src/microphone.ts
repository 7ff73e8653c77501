// Sound of a MediaStream as samples at 16 kHz, as it comes.
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

/** Gives samples of the stream to `onSamples`, a tenth of a second at a time, until it is stopped. */
export async function listenTo(
  stream: MediaStream,
  onSamples: (samples: Float32Array) => void,
): Promise<{ stop(): Promise<void> }> {
  const { context, source } = await open(stream);
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
  if (context.state === 'suspended') await context.resume();
  return {
    stop: async () => {
      source.disconnect();
      node.port.close();
      await context.close();
    },
  };
}
