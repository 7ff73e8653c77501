import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { download, forgetDownload, isDownloaded } from '../src/download.js';
import { WhisperError } from '../src/errors.js';

const URL_ = 'https://models.test/tiny.tflite';
const FILE = Uint8Array.from({ length: 20 << 20 }, (_, i) => i * 7 + (i >> 10));

/** The Cache API as far as it is used. */
class MemoryCache {
  readonly entries = new Map<string, { bytes: Uint8Array<ArrayBuffer>; headers: Headers }>();
  room = Infinity;

  async match(key: string) {
    const found = this.entries.get(key);
    return found && new Response(found.bytes.slice(), { headers: found.headers });
  }
  async put(key: string, response: Response) {
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > this.room) throw new DOMException('no room', 'QuotaExceededError');
    this.entries.set(key, { bytes, headers: response.headers });
  }
  async delete(key: string) {
    return this.entries.delete(key);
  }
}

/** A server that breaks off after so many bytes of an answer. */
class Server {
  readonly asked: (string | null)[] = []; // ranges
  etag = '"1"';
  breaksAfter: number[] = [];
  hasRanges = true;
  file = FILE;

  fetch = async (_url: string, { headers }: { headers: Record<string, string> }) => {
    const range = headers.Range ?? null;
    this.asked.push(range);
    if (this.breaksAfter[0] === 0) {
      this.breaksAfter.shift();
      throw new TypeError('the network is down');
    }
    const goesOn = range !== null && this.hasRanges && headers['If-Range'] === this.etag;
    const begin = goesOn ? Number(/\d+/.exec(range!)![0]) : 0;
    const rest = this.file.subarray(begin);
    const end = this.breaksAfter.shift() ?? rest.length;
    let done = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (done >= rest.length) return controller.close();
        if (done >= end) return controller.error(new TypeError('the connection broke'));
        const next = Math.min(done + (1 << 20), end);
        controller.enqueue(rest.slice(done, next));
        done = next;
        return undefined;
      },
    });
    const answer: Record<string, string> = { ETag: this.etag, 'Content-Length': String(rest.length) };
    if (goesOn) answer['Content-Range'] = `bytes ${begin}-${this.file.length - 1}/${this.file.length}`;
    return new Response(body, { status: goesOn ? 206 : 200, headers: answer });
  };
}

let cache: MemoryCache;
let server: Server;
const check = async () => {};

beforeEach(() => {
  cache = new MemoryCache();
  server = new Server();
  vi.stubGlobal('caches', { open: async () => cache });
  vi.stubGlobal('fetch', server.fetch);
});
afterEach(() => vi.unstubAllGlobals());

const isFile = (bytes: Uint8Array) => Buffer.compare(bytes, FILE) === 0;

test('a file is fetched once', async () => {
  const progress: [number, number][] = [];
  const first = await download(URL_, { check, onProgress: (loaded, total) => progress.push([loaded, total]) });
  expect(isFile(first.bytes)).toBe(true);
  expect(first.isFromCache).toBe(false);
  expect(progress[0]).toEqual([0, FILE.length]);
  expect(progress.at(-1)).toEqual([FILE.length, FILE.length]);
  expect(await isDownloaded(URL_)).toBe(true);
  const second = await download(URL_, { check });
  expect(isFile(second.bytes)).toBe(true);
  expect(second.isFromCache).toBe(true);
  expect(server.asked).toEqual([null]);
  expect([...cache.entries.keys()]).toEqual([URL_]); // no parts
  await forgetDownload(URL_);
  expect(await isDownloaded(URL_)).toBe(false);
});

test('a broken connection is made again where it broke', async () => {
  server.breaksAfter = [5 << 20, 6 << 20];
  expect(isFile((await download(URL_, { check })).bytes)).toBe(true);
  expect(server.asked).toEqual([null, `bytes=${5 << 20}-`, `bytes=${11 << 20}-`]);
});

test('a download goes on where an earlier one was left', async () => {
  server.breaksAfter = [9 << 20, 0];
  await expect(download(URL_, { check })).rejects.toThrow('could not be fetched');
  expect(await isDownloaded(URL_)).toBe(false);
  expect(isFile((await download(URL_, { check })).bytes)).toBe(true);
  expect(server.asked.at(-1)).toBe(`bytes=${9 << 20}-`);
  expect([...cache.entries.keys()]).toEqual([URL_]);
});

test('another version is fetched from its beginning', async () => {
  server.breaksAfter = [9 << 20, 0];
  await expect(download(URL_, { check })).rejects.toThrow('could not be fetched');
  server.etag = '"2"';
  server.file = FILE.slice(0, 3 << 20);
  const { bytes } = await download(URL_, { check });
  expect(bytes.length).toBe(3 << 20);
});

test('a server without ranges is asked for all of it', async () => {
  server.hasRanges = false;
  server.breaksAfter = [9 << 20];
  expect(isFile((await download(URL_, { check })).bytes)).toBe(true);
});

test('what fails the check is not kept', async () => {
  const wrong = async () => {
    throw new Error('it is another');
  };
  await expect(download(URL_, { check: wrong })).rejects.toThrow('it is another');
  expect(cache.entries.size).toBe(0);
});

test('what was kept and is another is fetched again, once', async () => {
  await download(URL_, { check });
  server.file = FILE.slice(0, 3 << 20);
  server.etag = '"2"';
  const isShort = async (bytes: Uint8Array) => {
    if (bytes.length !== 3 << 20) throw new WhisperError('bad_file', 'it is another');
  };
  const { bytes, isFromCache } = await download(URL_, { check: isShort, checkKept: isShort });
  expect([bytes.length, isFromCache]).toEqual([3 << 20, false]);
  expect((await download(URL_, { check: isShort, checkKept: isShort })).isFromCache).toBe(true);
  const isNone = async () => {
    throw new WhisperError('bad_file', 'it is none');
  };
  await expect(download(URL_, { check: isNone, checkKept: isNone })).rejects.toThrow('it is none');
  expect(server.asked).toEqual([null, null, null]);
  expect(await isDownloaded(URL_)).toBe(true); // for who asks for no hash
});

test('without room it works and says so', async () => {
  cache.room = 1000;
  const warnings: string[] = [];
  expect(isFile((await download(URL_, { check, onWarning: (one) => warnings.push(one) })).bytes)).toBe(true);
  expect(warnings[0]).toContain('no room');
});

test('without a cache it is fetched every time', async () => {
  vi.stubGlobal('caches', undefined);
  await download(URL_, { check });
  expect((await download(URL_, { check })).isFromCache).toBe(false);
});

test('an answer that is none is told', async () => {
  vi.stubGlobal('fetch', async () => new Response('', { status: 404 }));
  await expect(download(URL_, { check })).rejects.toThrow('the server answers 404');
});
