import { expect, test } from 'vitest';
import { Live, type LiveOptions, type LiveText } from '../src/live.js';
import { Tokenizer } from '../src/tokenizer.js';
import { GERMAN, LoudDetector, SOT_PREV, ScriptedModel, type WindowScript, sentence, word } from './scripted_model.js';

const SECOND = 16000;

/** Half a second of silence, so many seconds of speech, two of silence; in pieces of 0.1 s. */
async function listen(model: ScriptedModel, speech: number[], options: LiveOptions): Promise<LiveText[]> {
  const { info } = model;
  const tokenizer = new Tokenizer(info.vocabulary, info.config);
  const texts: LiveText[] = [];
  const tools = { model, tokenizer, detector: new LoudDetector() };
  const live = new Live(tools, new LoudDetector(), options, () => {}, (text) => texts.push(text));
  for (const seconds of speech) {
    const sound = new Float32Array((seconds + 2.5) * SECOND).fill(1, SECOND / 2, (seconds + 0.5) * SECOND);
    for (let at = 0; at < sound.length; at += SECOND / 10) await live.push(sound.subarray(at, at + SECOND / 10));
  }
  await live.finish();
  return texts;
}

const says = (...letters: string[]): WindowScript => ({
  attempts: [[...sentence(0, letters[0]!, 2).slice(0, 2), ...letters.slice(1).map(word), sentence(0, 'a', 1)[2]!]],
});

test('what is said is confirmed while it is spoken', async () => {
  const model = new ScriptedModel([says('a', 'b'), says('a', 'c'), says('a', 'c', 'd')]);
  const texts = await listen(model, [2], { language: 'en' });
  expect(texts.map(({ confirmed, tentative }) => [confirmed, tentative])).toEqual([
    ['', ' a b'],
    [' a', ' c'],
    [' a c d', ''],
  ]);
  expect(texts.map(({ isFinal }) => isFinal)).toEqual([false, false, true]);
  const { start, end, language } = texts[2]!;
  expect(start).toBeCloseTo(0.3, 1);
  expect(end).toBeCloseTo(2.7, 1);
  expect(language).toBe('en');
});

test('the utterance before is the prompt of the next', async () => {
  const script = [says('a'), says('b')];
  const options: LiveOptions = { language: 'en', updateInterval: 9 };
  const model = new ScriptedModel(script);
  const texts = await listen(model, [2, 2], options);
  expect(texts.map(({ confirmed }) => confirmed)).toEqual([' a', ' b']);
  expect(model.prompts.get(2)!.slice(0, 2)).toEqual([SOT_PREV, word('a')]);
  const other = new ScriptedModel(script);
  await listen(other, [2, 2], { ...options, conditionOnPreviousText: false });
  expect(other.prompts.get(2)![0]).not.toBe(SOT_PREV);
});

test('the language of the first utterance that is sure stays', async () => {
  const german = { attempts: [[]], language: GERMAN };
  const model = new ScriptedModel([german, says('a'), says('b')]);
  const texts = await listen(model, [3, 2], { updateInterval: 9 });
  expect(texts.map(({ confirmed, language }) => [confirmed, language])).toEqual([
    [' a', 'de'],
    [' b', 'de'],
  ]);
  expect(model.windows).toBe(3);
});

test('silence needs no model', async () => {
  const model = new ScriptedModel([]);
  expect(await listen(model, [0], { language: 'en' })).toEqual([]);
  expect(model.windows).toBe(0);
});
