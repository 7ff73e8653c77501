// Runs the five signatures of `convert --for web` on LiteRT.js in a page, for litert_js_host.py.
import { Tensor, loadAndCompile, loadLiteRt } from '@litertjs/core';

const CLOSE = 0.5; // logits
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const deleteAll = (tensors) => Object.values(tensors).forEach((tensor) => tensor.delete());

/** The first `most` of `tokens` must come out; gives {signature: {ms} or {error}}. */
window.runHost = async ({ accelerator, threads, tokens, most }) => {
  await loadLiteRt('/litert/', { threads: threads > 1 });
  const file = new Uint8Array(await (await fetch('bundle.tflite')).arrayBuffer());
  const model = await loadAndCompile(file, {
    accelerator,
    cpuOptions: { numThreads: threads },
    gpuOptions: { precision: 'fp32' },
  });
  const times = {};
  const run = async (key, inputs) => {
    const start = performance.now();
    const outputs = await model.signatures[key].run(inputs);
    // Only then has a GPU computed it.
    await Object.values(outputs)[0].data();
    (times[key] ??= []).push(performance.now() - start);
    return outputs;
  };

  const audio = new Float32Array(await (await fetch('audio.f32')).arrayBuffer());
  const logmel = await run('features', { normalized_audio: new Tensor(audio, [audio.length]) });
  const hidden = await run('encode', { input_features: logmel.logmel });
  const cross = await run('cross', hidden);
  const emptyCaches = () => {
    const caches = {};
    for (const { name, shape } of model.signatures.step.getInputDetails()) {
      if (!name.startsWith('self_')) continue;
      caches[name] = new Tensor(new Float32Array(shape.reduce((a, b) => a * b)), [...shape]);
    }
    return caches;
  };
  // Whether the token is the likeliest, or so near to it that the rounding of int8 decides.
  const isRight = async (logits, token) => {
    const numbers = await logits.data();
    return numbers[token] >= numbers.reduce((most, number) => Math.max(most, number)) - CLOSE;
  };
  const ints = (numbers, shape = [numbers.length]) => new Tensor(Int32Array.from(numbers), shape);
  const wrong = {};

  let caches = emptyCaches();
  for (let position = 0; position + 1 < most; ++position) {
    const inputs = { token: ints([tokens[position]]), position: ints([position]) };
    const { logits, ...next } = await run('step', { ...inputs, ...caches, ...cross });
    deleteAll({ ...inputs, ...caches });
    caches = Object.fromEntries(Object.entries(next).map(([name, value]) => [name.slice(4), value]));
    const right = await isRight(logits, tokens[position + 1]);
    logits.delete();
    if (position > 1 && !right) wrong.step ??= `wrong token after ${position + 1}`;
  }
  const row = Array.from({ length: 64 }, (_, i) => (i < most - 1 ? tokens[i] : 0));
  const inputs = { tokens: ints(row, [1, 64]), position: ints([0]), length: ints([Math.min(most - 1, 64)]) };
  const { logits } = await run('prefill', { ...inputs, ...emptyCaches(), ...cross });
  if (!(await isRight(logits, tokens[most - 1]))) wrong.prefill = 'wrong token';
  return Object.fromEntries(
    Object.entries(times).map(([key, all]) => [
      key,
      wrong[key] ? { error: wrong[key] } : { ms: median(all) },
    ]),
  );
};
