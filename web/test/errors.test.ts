// What is given wrongly is told with a code, before anything is computed or started.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeAudio } from '../src/audio.js';
import type { LoadOptions } from '../src/load_options.js';
import { checkedOptions } from '../src/options.js';
import { SpeechStream } from '../src/speech_tracker.js';
import { Whisper } from '../src/whisper.js';
import { LoudDetector, toyInfo } from './scripted_model.js';

/** A worker that notes what it is told, and answers when it is made to. */
class FakeWorker {
  static all: FakeWorker[] = [];
  readonly told: { kind: string }[] = [];
  isTerminated = false;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;

  constructor(readonly url: string | URL) {
    FakeWorker.all.push(this);
  }
  postMessage(message: { kind: string }): void {
    structuredClone(message);
    this.told.push(message);
  }
  terminate(): void {
    this.isTerminated = true;
  }
}

beforeEach(() => {
  FakeWorker.all = [];
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('document', { baseURI: 'https://page.test/' });
});
afterEach(() => vi.unstubAllGlobals());

const anything = (value: unknown) => value as never;

async function loaded(): Promise<Whisper> {
  const loading = Whisper.load('model.tflite');
  FakeWorker.all[0]!.onmessage!({ data: { kind: 'loaded', model: {} } });
  return loading;
}

describe('loading', () => {
  test.each<[unknown, unknown, string]>([
    ['http://[bad', {}, '"http://[bad" is no URL: that of the model'],
    [null, {}, 'The URL of the model is of the type null'],
    ['a', null, 'The options are of the type null'],
    ['a', { vad: 'http://[bad' }, 'that of the voice activity detector'],
    ['a', { worker: 'http://[bad' }, 'that of the worker'],
    ['a', { runtime: 'http://[bad' }, "that of LiteRT.js's files"],
    ['a', { threads: 0 }, 'threads is 0, expected a whole number from 1 on.'],
    ['a', { threads: 1.5 }, 'threads is 1.5'],
    ['a', { accelerator: 'cuda' }, 'accelerator is "cuda", expected "wasm" or "webgpu".'],
    ['a', { sha256: 'abc' }, 'sha256 is "abc", expected 64 hex digits.'],
    ['a', { sha256: '' }, 'expected 64 hex digits.'],
    ['a', { signal: {} }, 'signal is of the type Object'],
    ['a', { onProgress: 'x' }, 'onProgress is of the type string'],
  ])('%o with %o is refused, and starts no worker', async (url, options, message) => {
    const error = await Whisper.load(url as string, options as LoadOptions).catch((one) => one);
    expect(error).toMatchObject({ name: 'WhisperError', code: 'invalid_argument' });
    expect(error.message).toContain(message);
    expect(FakeWorker.all).toEqual([]);
  });

  test('a worker that cannot be made is told', async () => {
    vi.stubGlobal('Worker', function () {
      throw new DOMException('it is elsewhere', 'SecurityError');
    });
    await expect(Whisper.load('a', { worker: 'https://other.test/worker.js' })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'The worker could not be started: it is elsewhere.',
    });
  });

  test('a worker that is not there is told', async () => {
    const loading = Whisper.load('a');
    FakeWorker.all[0]!.onerror!({ message: '' });
    await expect(loading).rejects.toMatchObject({ code: 'network' });
    expect(FakeWorker.all[0]!.isTerminated).toBe(true);
  });

  test('it is cancelled at once', async () => {
    const stop = new AbortController();
    const loading = Whisper.load('a', { signal: stop.signal });
    stop.abort();
    await expect(loading).rejects.toMatchObject({ name: 'WhisperError', code: 'cancelled' });
    expect(FakeWorker.all[0]!.isTerminated).toBe(true);
    await expect(Whisper.load('a', { signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(FakeWorker.all.length).toBe(1);
  });

  test('a signal that comes later does nothing', async () => {
    const stop = new AbortController();
    const loading = Whisper.load('a', { signal: stop.signal });
    FakeWorker.all[0]!.onmessage!({ data: { kind: 'loaded', model: { name: 'toy' } } });
    expect((await loading).name).toBe('toy');
    stop.abort();
    expect(FakeWorker.all[0]!.isTerminated).toBe(false);
  });

  test.each([Whisper.isDownloaded, Whisper.forget])('what is asked of no URL is refused', async (ask) => {
    await expect(ask('http://[bad')).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('recordings', () => {
  test.each<[unknown, string]>([
    [new Uint8Array(4), 'of the type Uint8Array, expected a File or Blob'],
    [null, 'of the type null'],
    [undefined, 'of the type undefined'],
    ['speech.wav', 'of the type string'],
    [Float32Array.of(0, 0, NaN), 'Samples are finite numbers; the one at 2 is nan.'],
    [Float32Array.of(0, -Infinity, NaN), 'Samples are finite numbers; the one at 1 is -inf.'],
  ])('%o is refused', async (audio, message) => {
    const whisper = await loaded();
    const work = whisper.transcribe(anything(audio));
    const error = await work.next().catch((one) => one);
    expect(error).toMatchObject({ name: 'WhisperError', code: 'invalid_argument' });
    expect(error.message).toContain(message);
    await expect(work.transcript).rejects.toBe(error);
    expect(FakeWorker.all[0]!.told.map(({ kind }) => kind)).toEqual(['load']);
  });

  test('decoded sound is finite as well', async () => {
    const channels = [Float32Array.of(0, 0), Float32Array.of(0, Infinity)];
    const buffer = {
      [Symbol.toStringTag]: 'AudioBuffer',
      numberOfChannels: 2,
      length: 2,
      sampleRate: 16000,
      getChannelData: (i: number) => channels[i]!,
    };
    await expect(decodeAudio(anything(buffer))).rejects.toThrow('the one at 1 is inf.');
    channels[1]![1] = 1;
    expect([...(await decodeAudio(anything(buffer)))]).toEqual([0, 0.5]);
  });

  test('bytes that were given away are told', async () => {
    const bytes = new ArrayBuffer(8);
    structuredClone(bytes, { transfer: [bytes] });
    await expect(decodeAudio(bytes)).rejects.toMatchObject({ name: 'WhisperError', code: 'bad_file' });
  });

  test.each<[unknown, string]>([
    [null, 'The options are of the type null'],
    [{ signal: 1 }, 'signal is of the type number'],
    [{ language: () => 'en' }, 'The options are to be plain values'],
  ])('the options %o are refused', async (options, message) => {
    const whisper = await loaded();
    const { transcript } = whisper.transcribe(new Float32Array(10), anything(options));
    await expect(transcript).rejects.toMatchObject({ code: 'invalid_argument', message: expect.stringContaining(message) });
  });

  test.each<[Record<string, unknown>, string]>([
    [{ language: 3 }, 'language is 3'],
    [{ timestamps: 'no' }, 'timestamps is no, expected true or false.'],
    [{ temperatures: 0 }, 'temperatures are to be'],
    [{ temperatures: [NaN] }, 'temperatures are to be'],
    [{ temperatures: ['0'] }, 'temperatures are to be'],
    [{ logprobThreshold: NaN }, 'logprobThreshold is NaN, expected a number or null.'],
    [{ compressionRatioThreshold: '2.4' }, 'compressionRatioThreshold is 2.4'],
    [{ noSpeechThreshold: Infinity }, 'noSpeechThreshold is Infinity'],
    [{ maxInitialTimestamp: -1 }, 'maxInitialTimestamp is -1'],
    [{ maxTokens: 0.5 }, 'maxTokens is 0.5'],
  ])('%o is impossible', (options, message) => {
    expect(() => checkedOptions(options, toyInfo().config)).toThrow(message);
  });
});

describe('streams', () => {
  test.each<[unknown, unknown, string]>([
    [null, {}, 'The stream is of the type null, expected a MediaStream.'],
    [{ [Symbol.toStringTag]: 'MediaStream', getAudioTracks: () => [] }, {}, 'The stream has no sound'],
    [{ [Symbol.toStringTag]: 'MediaStream' }, null, 'The options are of the type null'],
  ])('%o with %o is refused', async (stream, options, message) => {
    const whisper = await loaded();
    const listening = whisper.listen(anything(stream), anything(options));
    const error = await listening.next().catch((one) => one);
    expect(error).toMatchObject({ name: 'WhisperError', code: 'invalid_argument' });
    expect(error.message).toContain(message);
    await listening.stop();
    await listening.stop();
  });

  test.each([NaN, Infinity, -1, '1'])('minSilenceMs is not %o', (minSilenceMs) => {
    expect(() => new SpeechStream(new LoudDetector(), { minSilenceMs: anything(minSilenceMs) })).toThrow(
      'The option minSilenceMs of the VAD cannot be',
    );
  });
});
