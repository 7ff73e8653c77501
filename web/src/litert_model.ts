// A bundle of whisper-s4y on LiteRT.js. Every tensor that LiteRT gives out is deleted here: nothing
// else would free its memory.
import { type CompiledModel, type SignatureRunner, Tensor, loadAndCompile } from '@litertjs/core';
import type { DecoderModel } from './decoder_model.js';
import { WhisperError, messageOf } from './errors.js';
import { WINDOW_FRAMES } from './front_end.js';
import { type ModelInfo, NEEDED_SIGNATURES } from './model_info.js';
import type { Runtime } from './runtime.js';

type Tensors = Record<string, Tensor>;

// One call of `prefill` costs about as much as this many calls of `step`.
const STEPS_PER_PREFILL = 8;

function deleteAll(tensors: Tensors): void {
  for (const tensor of Object.values(tensors)) tensor.delete();
}

/** What `use` makes of tensors that are deleted after it. */
async function using<T>(tensors: Tensors, use: (tensors: Tensors) => Promise<T>): Promise<T> {
  try {
    return await use(tensors);
  } finally {
    deleteAll(tensors);
  }
}

const ints = (...values: number[]) => new Tensor(Int32Array.from(values), [values.length]);

/** What LiteRT.js says of tensors of strings, as other bundles have them; null: it is something else. */
export function foreignTypes(error: unknown): WhisperError | null {
  const type = /element type (\w+) is not supported/i.exec(messageOf(error))?.[1];
  if (type === undefined) return null;
  return new WhisperError(
    'unsupported',
    `The model has tensors of the type ${type}, which LiteRT.js does not take: convert the checkpoint with --for web.`,
  );
}

export class LiteRtModel implements DecoderModel {
  private cross: Tensors = {}; // keys and values of the audio
  private self: Tensors; // of the tokens
  private readonly prefillRow: number;

  private constructor(
    readonly info: ModelInfo,
    private readonly model: CompiledModel,
  ) {
    const row = this.signature('prefill')
      .getInputDetails()
      .find(({ name }) => name === 'tokens')?.shape[1];
    if (row === undefined) throw new WhisperError('bad_file', 'The signature "prefill" has no row of tokens.');
    this.prefillRow = row;
    this.self = {};
    for (const { name, shape } of this.signature('step').getInputDetails()) {
      if (!name.startsWith('self_')) continue;
      const zeros = new Float32Array(shape.reduce((product, size) => product * size, 1));
      this.self[name] = new Tensor(zeros, shape);
    }
  }

  static async load(file: Uint8Array, info: ModelInfo, runtime: Runtime): Promise<LiteRtModel> {
    let model: CompiledModel | null = null;
    try {
      model = await loadAndCompile(file, runtime.compileOptions);
      return new LiteRtModel(info, model);
    } catch (error) {
      model?.delete();
      throw foreignTypes(error) ?? error;
    }
  }

  private signature(key: (typeof NEEDED_SIGNATURES)[number]): SignatureRunner {
    const signature = this.model.signatures[key];
    if (!signature) throw new WhisperError('bad_file', `The model has no signature "${key}".`);
    return signature;
  }

  async features(normalizedAudio: Float32Array): Promise<Float32Array> {
    const input = { normalized_audio: new Tensor(normalizedAudio, [normalizedAudio.length]) };
    const output = await using(input, () => this.signature('features').run(input));
    return using(output, async () => (await output.logmel!.data()) as Float32Array);
  }

  async encode(inputFeatures: Float32Array): Promise<void> {
    const shape = [1, this.info.config.num_mel_bins, WINDOW_FRAMES];
    const input = { input_features: new Tensor(inputFeatures, shape) };
    const hidden = await using(input, () => this.signature('encode').run(input));
    const cross = await using(hidden, () => this.signature('cross').run(hidden));
    deleteAll(this.cross);
    this.cross = cross;
  }

  async decode(tokens: readonly number[], position: number): Promise<Float32Array> {
    const most = this.info.config.max_target_positions;
    if (tokens.length === 0 || position + tokens.length > most) {
      throw new WhisperError(
        'internal',
        `${tokens.length} tokens cannot be fed at position ${position} of ${most}.`,
      );
    }
    let logits: Float32Array | undefined;
    for (let done = 0; done < tokens.length; ) {
      const at = position + done;
      const left = tokens.slice(done, done + this.prefillRow);
      // `prefill` writes whole rows of the cache: near the end there is no room for that.
      const fits = at + this.prefillRow <= most;
      if (fits && left.length > STEPS_PER_PREFILL) {
        const row = Array.from({ length: this.prefillRow }, (_, i) => left[i] ?? left[0]!);
        const input = {
          tokens: new Tensor(Int32Array.from(row), [1, row.length]),
          position: ints(at),
          length: ints(left.length),
        };
        logits = await this.feed('prefill', input);
        done += left.length;
      } else {
        logits = await this.feed('step', { token: ints(left[0]!), position: ints(at) });
        done += 1;
      }
    }
    return logits!;
  }

  /** Runs a signature that moves the caches on; gives its logits. */
  private async feed(key: 'step' | 'prefill', input: Tensors): Promise<Float32Array> {
    const { logits, ...caches } = await using(input, () =>
      this.signature(key).run({ ...input, ...this.self, ...this.cross }),
    );
    deleteAll(this.self);
    this.self = Object.fromEntries(
      Object.entries(caches).map(([name, tensor]) => [name.replace(/^new_/, ''), tensor]),
    );
    return using({ logits: logits! }, async () => (await logits!.data()) as Float32Array);
  }

  delete(): void {
    deleteAll(this.cross);
    deleteAll(this.self);
    this.model.delete();
  }
}
