// A file that is fetched once and kept by the browser's Cache API. What has come of an interrupted
// download is kept too, and the next one goes on from there.
import { WhisperError, sentence } from './errors.js';

const CACHE = 'whisper-s4y';
/** Bytes that are stored at a time while they come. */
const PART = 4 << 20;
const PART_NUMBER = 'whisper-s4y-part';
/** By which the server names this version of the file: without it nothing can be gone on with. */
const VALIDATOR = 'x-validator';

export interface Download {
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether the browser had it. */
  isFromCache: boolean;
}

export interface DownloadOptions {
  /** Bytes that are there, and bytes in all; 0: not known. */
  onProgress?: (loaded: number, total: number) => void;
  /** Told of what went wrong without harm. */
  onWarning?: (message: string) => void;
  /** Throws when the file is not what it should be. */
  check: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Throws WhisperError when a file that was kept is not what is wanted now: it is fetched again. */
  checkKept?: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
}

/** The cache of this origin; null where the page has none, as without https. */
async function openCache(): Promise<Cache | null> {
  return typeof caches === 'undefined' ? null : caches.open(CACHE);
}

/** What is there of a file that was not fetched to its end. */
class Parts {
  private chunks: Uint8Array<ArrayBuffer>[] = [];
  private stored = 0; // parts
  private unstored: Uint8Array<ArrayBuffer>[] = [];
  length = 0;
  validator = '';

  constructor(
    private readonly cache: Cache | null,
    private readonly url: string,
    private readonly warn: (message: string) => void,
  ) {}

  private key(number: number): string {
    const key = new URL(this.url);
    key.searchParams.set(PART_NUMBER, String(number));
    return key.href;
  }

  /** Takes what an earlier download has left. */
  async restore(): Promise<void> {
    for (;;) {
      const part = await this.cache?.match(this.key(this.stored));
      if (!part) return;
      const validator = part.headers.get(VALIDATOR) ?? '';
      if (this.stored > 0 && validator !== this.validator) return;
      this.validator = validator;
      this.push(new Uint8Array(await part.arrayBuffer()));
      ++this.stored;
    }
  }

  private push(chunk: Uint8Array<ArrayBuffer>): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
  }

  async add(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.push(chunk);
    this.unstored.push(chunk);
    if (this.unstored.reduce((sum, one) => sum + one.length, 0) >= PART) await this.store();
  }

  /** Stores what is there, for the next time. */
  async store(): Promise<void> {
    if (this.cache === null || this.validator === '' || this.unstored.length === 0) return;
    const headers = { [VALIDATOR]: this.validator };
    const part = new Response(new Blob(this.unstored), { headers });
    if (await keep(this.cache, this.key(this.stored), part, this.warn)) {
      ++this.stored;
      this.unstored = [];
    }
  }

  /** Forgets everything, here and in the cache. */
  async clear(): Promise<void> {
    for (; this.stored > 0; --this.stored) await this.cache?.delete(this.key(this.stored - 1));
    this.chunks = [];
    this.unstored = [];
    this.length = 0;
    this.validator = '';
  }

  joined(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }
}

/** False when there is no room for it. */
async function keep(
  cache: Cache,
  key: string,
  response: Response,
  warn: (message: string) => void,
): Promise<boolean> {
  try {
    await cache.put(key, response);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
    warn('The browser has no room to keep the model: it will be fetched again.');
    return false;
  }
}

/** Bytes in all, by the headers of an answer that begins at `begin`; 0 when they do not tell. */
function totalOf(response: Response, begin: number): number {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('Content-Range') ?? '');
  if (response.status === 206) {
    if (!range || Number(range[1]) !== begin) {
      throw new WhisperError('network', `${response.url} was to go on at byte ${begin} and did not.`);
    }
    return Number(range[2]) || 0;
  }
  // The length of what is compressed is not that of the file.
  if (response.headers.has('Content-Encoding')) return 0;
  return Number(response.headers.get('Content-Length') ?? 0);
}

/** One request for what is missing. */
async function fetchRest(url: string, parts: Parts, options: DownloadOptions): Promise<void> {
  const headers: Record<string, string> =
    parts.length > 0 ? { Range: `bytes=${parts.length}-`, 'If-Range': parts.validator } : {};
  // The Cache API keeps it; twice would be too much.
  const response = await fetch(url, { headers, cache: 'no-store' });
  if (response.status !== 200 && response.status !== 206) {
    if (response.status === 416) await parts.clear();
    throw new WhisperError('network', `${url} could not be fetched: the server answers ${response.status}.`);
  }
  if (response.status === 200) await parts.clear(); // another version, or a server without ranges
  const total = totalOf(response, parts.length);
  const etag = response.headers.get('ETag') ?? '';
  const strong = etag.startsWith('W/') ? '' : etag;
  parts.validator = strong || response.headers.get('Last-Modified') || '';
  options.onProgress?.(parts.length, total);
  for (const reader = response.body!.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    await parts.add(value);
    options.onProgress?.(parts.length, total);
  }
  if (total > 0 && parts.length !== total) {
    throw new TypeError(`${parts.length} of ${total} bytes came`);
  }
}

/** Fetches what is missing; a broken connection is made again as long as that helps. */
async function fetchAll(url: string, parts: Parts, options: DownloadOptions): Promise<void> {
  for (;;) {
    const before = parts.length;
    try {
      await fetchRest(url, parts, options);
      return;
    } catch (error) {
      // What fetch() throws when the network fails.
      if (!(error instanceof TypeError)) throw error;
      if (parts.length > before && parts.validator !== '') continue;
      await parts.store();
      throw new WhisperError('network', sentence(`${url} could not be fetched: ${error.message}`));
    }
  }
}

/** Whether a file that was kept is still the one to be had. */
async function isWanted(bytes: Uint8Array<ArrayBuffer>, { checkKept }: DownloadOptions): Promise<boolean> {
  try {
    await checkKept?.(bytes);
    return true;
  } catch (error) {
    if (!(error instanceof WhisperError) || error.code !== 'bad_file') throw error;
    return false;
  }
}

/** The file at `url`, from the cache where it is there. */
export async function download(url: string, options: DownloadOptions): Promise<Download> {
  const cache = await openCache();
  const warn = options.onWarning ?? (() => {});
  const kept = await cache?.match(url);
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    if (await isWanted(bytes, options)) {
      options.onProgress?.(bytes.length, bytes.length);
      return { bytes, isFromCache: true };
    }
  }
  const parts = new Parts(cache, url, warn);
  await parts.restore();
  await fetchAll(url, parts, options);
  const bytes = parts.joined();
  try {
    await options.check(bytes);
  } catch (error) {
    await parts.clear();
    throw error;
  }
  if (cache) await keep(cache, url, new Response(bytes), warn);
  await parts.clear();
  return { bytes, isFromCache: false };
}

/** Whether the browser has the file. */
export async function isDownloaded(url: string): Promise<boolean> {
  return (await (await openCache())?.match(url)) !== undefined;
}

/** Removes the file and what is there of it from the browser. */
export async function forgetDownload(url: string): Promise<void> {
  const cache = await openCache();
  await cache?.delete(url);
  const parts = new Parts(cache, url, () => {});
  await parts.restore();
  await parts.clear();
}
