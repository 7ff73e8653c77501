// The walk over a recording, on scripts of what the model says in each window.
import { expect, test } from 'vitest';
import { WhisperError } from '../src/errors.js';
import { LongForm } from '../src/long_form.js';
import { type TranscribeOptions, checkedOptions } from '../src/options.js';
import type { Segment } from '../src/segments.js';
import { Tokenizer } from '../src/tokenizer.js';
import {
  GERMAN,
  LoudDetector,
  NO_TIMESTAMPS,
  SOT,
  SOT_PREV,
  ScriptedModel,
  TRANSLATE,
  type WindowScript,
  at,
  sentence,
  word,
} from './scripted_model.js';

const seconds = (count: number) => new Float32Array(Math.round(count * 16000));
const ENGLISH: TranscribeOptions = { language: 'en', bestOf: 1 };

async function transcribe(
  model: ScriptedModel,
  sound: Float32Array,
  options: TranscribeOptions = ENGLISH,
  check = () => {},
) {
  const { info } = model;
  const tokenizer = new Tokenizer(info.vocabulary, info.config);
  const told: Segment[] = [];
  const callbacks = { onSegment: (one: Segment) => told.push(one), onProgress: () => {}, check };
  const tools = { model, tokenizer, detector: new LoudDetector() };
  const transcript = await new LongForm(tools, sound, checkedOptions(options, info.config), callbacks).run();
  expect(told).toEqual(transcript.segments);
  return transcript;
}
const texts = ({ segments }: { segments: Segment[] }) => segments.map(({ text }) => text);

test('text that is cut off is decoded again with what follows', async () => {
  const model = new ScriptedModel([
    { attempts: [[...sentence(0, 'a', 10), at(10), word('b'), word('c')]] },
    { attempts: [sentence(0, 'd', 25)] },
  ]);
  const transcript = await transcribe(model, seconds(35));
  expect(texts(transcript)).toEqual([' a', ' d']);
  expect(transcript.text).toBe(' a d');
  expect(transcript.segments[1]).toMatchObject({ id: 1, start: 10, end: 35, language: 'en' });
  expect(model.windows).toBe(2);
});

test('a single timestamp at the end says that no speech follows', async () => {
  const model = new ScriptedModel([{ attempts: [sentence(0, 'a', 4)] }, { attempts: [sentence(0, 'b', 4)] }]);
  const transcript = await transcribe(model, seconds(60));
  expect(transcript.segments.map(({ start }) => start)).toEqual([0, 30]);
});

test.each([
  [31.5, [' a']],
  [31, [' a', ' b']],
])('a short rest counts when somebody speaks in it: from %d s on', async (loudFrom, expected) => {
  const model = new ScriptedModel([{ attempts: [sentence(0, 'a', 4)] }, { attempts: [sentence(0, 'b', 1)] }]);
  const sound = seconds(31.5).fill(1, loudFrom * 16000);
  expect(texts(await transcribe(model, sound))).toEqual(expected);
});

test('nothing ends after the recording', async () => {
  const model = new ScriptedModel([
    { attempts: [[...sentence(0, 'a', 7), ...sentence(7, 'b', 20), ...sentence(9, 'c', 12)]] },
  ]);
  const transcript = await transcribe(model, seconds(8.7));
  expect(texts(transcript)).toEqual([' a', ' b']);
  expect(transcript.segments[1]!.end).toBe(8.7);
});

test('long silence before the sound is left out', async () => {
  const model = new ScriptedModel([{ attempts: [sentence(0, 'a', 2)] }]);
  const sound = seconds(50).fill(-1, 0, 40 * 16000);
  const { segments } = await transcribe(model, sound);
  expect(segments[0]!.start).toBeCloseTo(40, 1);
  expect(model.windows).toBe(1);
});

test('silence alone gives nothing and is not decoded', async () => {
  const model = new ScriptedModel([{ attempts: [sentence(0, 'a', 2)] }]);
  expect(await transcribe(model, seconds(40).fill(-1))).toMatchObject({ text: '', segments: [] });
  expect(model.windows).toBe(0);
});

test('repetitive text is tried again', async () => {
  const loop = [at(0), ...Array<number>(60).fill(word('a')), at(9)];
  const script: WindowScript = { attempts: [loop, sentence(0, 'b', 9)] };
  const again = await transcribe(new ScriptedModel([script]), seconds(10));
  expect(texts(again)).toEqual([' b']);
  expect(again.segments[0]!.temperature).toBe(0.2);
  const off = { ...ENGLISH, compressionRatioThreshold: null };
  const kept = await transcribe(new ScriptedModel([script]), seconds(10), off);
  expect(kept.segments[0]!.temperature).toBe(0);
  expect(kept.segments[0]!.compressionRatio).toBeGreaterThan(2.4);
});

test('unlikely text is tried again and the last try is kept', async () => {
  const unsure: WindowScript = { attempts: [sentence(0, 'a', 9)], sureness: 8 };
  const { segments } = await transcribe(new ScriptedModel([unsure]), seconds(10), {
    ...ENGLISH,
    temperatures: [0, 0],
    logprobThreshold: -0.1,
  });
  expect(segments[0]!.avgLogprob).toBeLessThan(-0.1);
});

test('a window that is likely silent and unsure gives nothing', async () => {
  const silent: WindowScript = { attempts: [sentence(0, 'a', 9)], sureness: 6, noSpeechLogit: 30 };
  const model = () => new ScriptedModel([silent]);
  expect(texts(await transcribe(model(), seconds(10)))).toEqual([]);
  const { segments } = await transcribe(model(), seconds(10), { ...ENGLISH, noSpeechThreshold: null, temperatures: [0] });
  expect(segments[0]!.noSpeechProb).toBeGreaterThan(0.6);
});

test('text before is the prompt, unless it is not wanted', async () => {
  const script = [{ attempts: [sentence(0, 'a', 4)] }, { attempts: [sentence(0, 'b', 4)] }];
  const model = new ScriptedModel(script);
  await transcribe(model, seconds(60));
  expect(model.prompts.get(2)!.slice(0, 4)).toEqual([SOT_PREV, ...sentence(0, 'a', 4)]);
  const other = new ScriptedModel(script);
  await transcribe(other, seconds(60), { ...ENGLISH, conditionOnPreviousText: false });
  expect(other.prompts.get(2)![0]).toBe(SOT);
});

test('task and timestamps are asked for by tokens', async () => {
  const model = new ScriptedModel([{ attempts: [[word('a')]] }]);
  const options: TranscribeOptions = { ...ENGLISH, task: 'translate', timestamps: false };
  const { segments } = await transcribe(model, seconds(20), options);
  expect(model.prompts.get(1)!.slice(-2)).toEqual([TRANSLATE, NO_TIMESTAMPS]);
  expect(segments).toMatchObject([{ start: 0, end: 20, text: ' a' }]);
});

test('the language is detected where somebody speaks', async () => {
  const model = new ScriptedModel([
    { attempts: [[]], language: GERMAN },
    { attempts: [sentence(0, 'a', 4)] },
  ]);
  const transcript = await transcribe(model, seconds(20).fill(1), {});
  expect(transcript.language).toBe('de');
  expect(transcript.languageProbability).toBeGreaterThan(0.9);
  expect(texts(transcript)).toEqual([' a']);
});

test('windows vote when none is sure', async () => {
  const unsure = (language: number, languageSureness: number) => ({ attempts: [[]], language, languageSureness });
  const model = new ScriptedModel([unsure(GERMAN, 0), unsure(GERMAN, 0), unsure(GERMAN, 0)]);
  // Half and half is not above one half; the first language is taken among equals.
  const { language, languageProbability } = await transcribe(model, seconds(90).fill(1), {});
  expect([language, languageProbability]).toEqual(['en', 0.5]);
  expect(model.windows).toBeGreaterThanOrEqual(3);
});

test('an English-only model knows one language and no task', async () => {
  const model = () => new ScriptedModel([{ attempts: [sentence(0, 'a', 4)] }], false);
  const english = model();
  expect((await transcribe(english, seconds(9), {})).language).toBe('en');
  expect(english.prompts.get(1)).toEqual([SOT]);
  await expect(transcribe(model(), seconds(9), { language: 'de' })).rejects.toThrow(WhisperError);
  await expect(transcribe(model(), seconds(9), { task: 'translate' })).rejects.toThrow('cannot translate');
});

test.each<[TranscribeOptions, string]>([
  [{ language: 'xx' }, 'does not know the language "xx"'],
  [{ bestOf: 0 }, 'bestOf is 0'],
  [{ temperatures: [] }, 'temperatures'],
  [{ maxTokens: 1.5 }, 'maxTokens is 1.5'],
])('%o is refused', async (options, message) => {
  await expect(transcribe(new ScriptedModel([]), seconds(1), options)).rejects.toThrow(message);
});

test('it stops between two tokens', async () => {
  const model = new ScriptedModel([{ attempts: [sentence(0, 'a', 4)] }]);
  let asked = 0;
  const check = () => {
    if (++asked === 3) throw new WhisperError('cancelled', 'It was cancelled.');
  };
  await expect(transcribe(model, seconds(20), ENGLISH, check)).rejects.toThrow('It was cancelled.');
  expect(asked).toBe(3);
});
