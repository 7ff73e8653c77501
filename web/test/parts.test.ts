// Small parts, each for itself.
import { expect, test } from 'vitest';
import { Channel } from '../src/channel.js';
import { compressionRatio } from '../src/compression_ratio.js';
import { sentence } from '../src/errors.js';
import { roundHalfEven } from '../src/front_end.js';
import { foreignTypes } from '../src/litert_model.js';
import { LocalAgreement, splitPieces } from '../src/local_agreement.js';
import { MASKED_LOGIT } from '../src/logit_math.js';
import { Random } from '../src/random.js';
import { bestHypothesis, randomToken } from '../src/search.js';
import { isClose } from '../src/self_check.js';
import { toSrt, toVtt } from '../src/subtitles.js';

test('random numbers are those of std::mt19937_64', () => {
  // The C++ standard: the 10000th number of the engine's default seed is 9981545732273789042.
  const random = new Random(5489n);
  for (let i = 1; i < 10000; ++i) random.uniform();
  expect(random.uniform()).toBe(Number(9981545732273789042n >> 11n) * 2 ** -53);
});

test('tokens are drawn as likely as they are', () => {
  const random = new Random(1n);
  const logits = Float32Array.of(Math.log(1), Math.log(3), MASKED_LOGIT);
  const drawn = Array.from({ length: 4000 }, () => randomToken(logits, 1, random));
  expect(drawn.filter((token) => token === 1).length / 4000).toBeCloseTo(0.75, 1);
  expect(drawn).not.toContain(2);
  // At a half, 1 and 9.
  const cold = Array.from({ length: 4000 }, () => randomToken(logits, 0.5, random));
  expect(cold.filter((token) => token === 1).length / 4000).toBeCloseTo(0.9, 1);
});

test('the best hypothesis is that of the best mean', () => {
  const short = { tokens: [1], sumLogprob: -1 };
  const long = { tokens: [1, 2, 3, 4], sumLogprob: -2 };
  expect(bestHypothesis([short, long])).toBe(long);
});

test('the compression ratio is that of zlib', async () => {
  // len(text) / len(zlib.compress(text)) in Python.
  expect(await compressionRatio('')).toBe(0);
  expect(await compressionRatio('a'.repeat(1000))).toBeCloseTo(1000 / 17, 5);
  expect(await compressionRatio('So it goes.')).toBeCloseTo(11 / 19, 5);
});

test('halves are rounded to the even neighbour', () => {
  expect([0.5, 1.5, 2.5, 2.4, 2.6, -0.5, -1.5].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3, -0, -2]);
});

test('pieces are words, or characters where there are no spaces', () => {
  expect(splitPieces(' And so, my')).toEqual([' And', ' so,', ' my']);
  expect(splitPieces(' 我が国 is')).toEqual([' 我', 'が', '国', ' is']);
});

test('what two hypotheses begin with is confirmed and stays', () => {
  const agreement = new LocalAgreement();
  agreement.hear(' And so my');
  expect([agreement.confirmed, agreement.tentative]).toEqual(['', ' And so my']);
  agreement.hear(' and So, your fellow');
  expect([agreement.confirmed, agreement.tentative]).toEqual([' and So,', ' your fellow']);
  agreement.finish(' And so my fellow Americans');
  expect([agreement.confirmed, agreement.tentative]).toEqual([' and So, my fellow Americans', '']);
});

test('subtitles are those of openai/whisper', () => {
  const cues = [
    { start: 0, end: 1.5, text: ' One --> two.' },
    { start: 3661.0005, end: 3662.25, text: ' Three.' },
  ];
  expect(toSrt(cues)).toBe(
    '1\n00:00:00,000 --> 00:00:01,500\nOne -> two.\n\n2\n01:01:01,001 --> 01:01:02,250\nThree.\n\n',
  );
  expect(toVtt(cues)).toBe(
    'WEBVTT\n\n00:00.000 --> 00:01.500\nOne -> two.\n\n01:01:01.001 --> 01:01:02.250\nThree.\n\n',
  );
});

test('a blank line does not end a subtitle', () => {
  const cues = [{ start: 0, end: 1, text: ' One\n\n  \r\nTwo\nthree\n' }];
  expect(toSrt(cues)).toBe('1\n00:00:00,000 --> 00:00:01,000\nOne\nTwo\nthree\n\n');
  expect(toVtt(cues)).toBe('WEBVTT\n\n00:00.000 --> 00:01.000\nOne\nTwo\nthree\n\n');
});

test('sentences end with one full stop', () => {
  expect(['It broke', 'It broke.', 'Did it? '].map(sentence)).toEqual(['It broke.', 'It broke.', 'Did it?']);
});

test('tensors that LiteRT.js does not take are told', () => {
  const error = foreignTypes(new Error('Element type STRING is not supported'));
  expect(error).toMatchObject({ code: 'unsupported', message: expect.stringContaining('with --for web.') });
  expect(foreignTypes(new Error('out of memory'))).toBe(null);
});

test('a channel gives what comes, then what went wrong', async () => {
  const channel = new Channel<number>(() => {});
  channel.push(1);
  setTimeout(() => {
    channel.push(2);
    channel.end(new Error('broken'));
  });
  const seen: number[] = [];
  await expect(
    (async () => {
      for await (const one of channel) seen.push(one);
    })(),
  ).rejects.toThrow('broken');
  expect(seen).toEqual([1, 2]);
});

test('several readers of a channel are served one after the other', async () => {
  const channel = new Channel<number>(() => {});
  const asked = [channel.next(), channel.next(), channel.next(), channel.next()];
  channel.push(1);
  channel.push(2);
  channel.end();
  channel.end(new Error('later'));
  const done = { done: true, value: undefined };
  expect(await Promise.all(asked)).toEqual([{ done: false, value: 1 }, { done: false, value: 2 }, done, done]);
  expect(await channel.next()).toEqual(done);
});

test('every reader of a channel hears what went wrong', async () => {
  const channel = new Channel<number>(() => {});
  const asked = Promise.allSettled([channel.next(), channel.next()]);
  channel.end(new Error('broken'));
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('who leaves a channel before its end is noticed', async () => {
  let left = 0;
  const channel = new Channel<number>(() => ++left);
  channel.push(1);
  for await (const _ of channel) break;
  expect(left).toBe(1);
});

test('logits that are rounded are close, others are not', () => {
  const wanted = Float32Array.from({ length: 1000 }, (_, i) => 5 * Math.sin(i) - 3);
  expect(isClose(wanted.map((one, i) => one + 0.2 * Math.cos(3 * i)), wanted)).toBe(true);
  expect(isClose(wanted.map((one) => one + 100), wanted)).toBe(true);
  expect(isClose(wanted.map((one) => 0.6 * one), wanted)).toBe(false);
  expect(isClose(wanted.map(() => NaN), wanted)).toBe(false);
});
