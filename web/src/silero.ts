// Silero VAD (github.com/snakers4/silero-vad) as `whisper-s4y convert --part vad` writes it
// (src/vad/silero_detector.cc).
import { type CompiledModel, Tensor, loadAndCompile } from '@litertjs/core';
import { WhisperError } from './errors.js';
import { describeTflite } from './flatbuffer.js';
import type { Runtime } from './runtime.js';
import { type SpeechDetector, VAD_CHUNK } from './speech_detector.js';

const CONTEXT = 64; // samples before the chunk that the model sees too
const STATE = 128; // numbers in each of the two state vectors
const ONE = 'chunk';
const MANY = 'chunks';

/** Throws WhisperError when the file is another. */
export function checkSilero(file: Uint8Array, source: string): void {
  const { signatures } = describeTflite(file, source);
  if (signatures.includes(ONE) && signatures.includes(MANY)) return;
  throw new WhisperError(
    'bad_file',
    `${source} has no signatures "${ONE}" and "${MANY}": make it with whisper-s4y convert --part vad.`,
  );
}

/** The model, for any number of detectors. */
export class SileroModel {
  private constructor(
    private readonly model: CompiledModel,
    private readonly many: number,
  ) {}

  static async load(file: Uint8Array, source: string, runtime: Runtime): Promise<SileroModel> {
    checkSilero(file, source);
    // The steps of the LSTM are too small to share, and too small for a GPU.
    const options = { ...runtime.compileOptions, accelerator: 'wasm', cpuOptions: { numThreads: 1 } } as const;
    const model = await loadAndCompile(file, options);
    const many = model.signatures[MANY]!.getInputDetails().find(({ name }) => name === 'samples')?.shape[0];
    if (many === undefined) {
      model.delete();
      throw new WhisperError('bad_file', 'The signature "chunks" of the VAD has no input "samples".');
    }
    return new SileroModel(model, many);
  }

  detector(): SpeechDetector {
    return new SileroDetector(this.model, this.many);
  }
}

class SileroDetector implements SpeechDetector {
  private h = new Float32Array(STATE);
  private c = new Float32Array(STATE);
  private context = new Float32Array(CONTEXT);

  constructor(
    private readonly model: CompiledModel,
    private readonly many: number,
  ) {}

  reset(): void {
    this.h = new Float32Array(STATE);
    this.c = new Float32Array(STATE);
    this.context = new Float32Array(CONTEXT);
  }

  async hear(chunks: Float32Array): Promise<Float32Array> {
    if (chunks.length % VAD_CHUNK !== 0) {
      throw new WhisperError('invalid_argument', `${chunks.length} samples are not chunks of ${VAD_CHUNK}.`);
    }
    const probs = new Float32Array(chunks.length / VAD_CHUNK);
    for (let done = 0; done < probs.length; ) {
      const count = probs.length - done >= this.many ? this.many : 1;
      const part = chunks.subarray(done * VAD_CHUNK, (done + count) * VAD_CHUNK);
      probs.set(await this.run(part, count), done);
      done += count;
    }
    return probs;
  }

  private async run(chunks: Float32Array, count: number): Promise<Float32Array> {
    const width = CONTEXT + VAD_CHUNK;
    const samples = new Float32Array(count * width);
    for (let i = 0; i < count; ++i) {
      const chunk = chunks.subarray(i * VAD_CHUNK, (i + 1) * VAD_CHUNK);
      samples.set(this.context, i * width);
      samples.set(chunk, i * width + CONTEXT);
      this.context = chunk.slice(VAD_CHUNK - CONTEXT);
    }
    const inputs = {
      samples: new Tensor(samples, [count, width]),
      h: new Tensor(this.h, [1, STATE]),
      c: new Tensor(this.c, [1, STATE]),
    };
    const outputs = await this.model
      .run(count === 1 ? ONE : MANY, inputs)
      .finally(() => Object.values(inputs).forEach((tensor) => tensor.delete()));
    const [probs, h, c] = await Promise.all(
      ['speech_probs', 'hn', 'cn'].map((name) => outputs[name]!.data()),
    ).finally(() => Object.values(outputs).forEach((tensor) => tensor.delete()));
    this.h = h as Float32Array<ArrayBuffer>;
    this.c = c as Float32Array<ArrayBuffer>;
    return probs as Float32Array;
  }
}
