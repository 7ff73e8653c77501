// What Whisper.load() is given, checked before a worker is started.
import type { Accelerator } from './accelerator.js';
import { WhisperError, check, kindOf } from './errors.js';
import type { LoadProgress, LoadRequest } from './messages.js';

/** How a model is loaded. */
export interface LoadOptions {
  /**
   * What computes: `'wasm'` (default), or `'webgpu'`, which becomes `'wasm'` where there is none or
   * the model does not run on it.
   */
  accelerator?: Accelerator;
  /**
   * Threads of WebAssembly; default: one for each processor, at most 8. Always 1 in a page that is
   * not isolated from other origins (docs/web.md).
   */
  threads?: number;
  /** Ends loading with the code `'cancelled'`; what was fetched is kept, and loading again goes on from there. */
  signal?: AbortSignal;
  /** Told how far loading is. */
  onProgress?: (progress: LoadProgress) => void;
  /** SHA-256 of the file in hex digits: another file is refused. */
  sha256?: string;
  /**
   * URL of the voice activity detector (`whisper-s4y convert --part vad`). Without it speech is told
   * from silence by its loudness.
   */
  vad?: string | URL;
  /** Where worker.js of this package lies. Default: beside the script that this is part of. */
  worker?: string | URL;
  /**
   * Folder with the files of `@litertjs/core/wasm`. Default: `litert/` beside worker.js. To be given
   * where a bundler has put the worker elsewhere.
   */
  runtime?: string | URL;
}

const ACCELERATORS: readonly unknown[] = ['wasm', 'webgpu'] satisfies Accelerator[];

/** The URL in whole. Throws WhisperError when it is none; `name` says what it is of. */
export function absoluteUrl(url: unknown, base: string, name: string): string {
  const isUrl = typeof url === 'string' || kindOf(url) === 'URL';
  check(isUrl, `The URL of ${name} is of the type ${kindOf(url)}, expected a string or a URL.`);
  try {
    return new URL(url as string | URL, base).href;
  } catch {
    throw new WhisperError('invalid_argument', `"${url}" is no URL: that of ${name} is expected.`);
  }
}

/** Throws WhisperError when they are no object, or what belongs to the caller is not what it should be. */
export function checkCaller(options: unknown): void {
  const isObject = typeof options === 'object' && options !== null;
  check(isObject, `The options are of the type ${kindOf(options)}, expected an object.`);
  const { signal, onProgress } = options as { signal?: unknown; onProgress?: unknown };
  check(
    signal === undefined || kindOf(signal) === 'AbortSignal',
    `signal is of the type ${kindOf(signal)}, expected an AbortSignal.`,
  );
  check(
    onProgress === undefined || typeof onProgress === 'function',
    `onProgress is of the type ${kindOf(onProgress)}, expected a function.`,
  );
}

/** What the worker is asked for, and its own URL; null: it lies beside the script. */
export interface CheckedLoad {
  request: LoadRequest;
  workerUrl: string | null;
}

/** Throws WhisperError when an option is impossible. `base` is what URLs are relative to. */
export function checkedLoad(url: unknown, options: LoadOptions, base: string): CheckedLoad {
  checkCaller(options);
  const { accelerator = 'wasm', threads, sha256, vad, worker, runtime } = options;
  check(ACCELERATORS.includes(accelerator), `accelerator is "${accelerator}", expected "wasm" or "webgpu".`);
  check(
    threads === undefined || (Number.isInteger(threads) && threads >= 1),
    `threads is ${threads}, expected a whole number from 1 on.`,
  );
  check(
    sha256 === undefined || (typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)),
    `sha256 is "${sha256}", expected 64 hex digits.`,
  );
  return {
    request: {
      kind: 'load',
      url: absoluteUrl(url, base, 'the model'),
      vadUrl: vad ? absoluteUrl(vad, base, 'the voice activity detector') : '',
      runtimeUrl: runtime ? absoluteUrl(runtime, base, "LiteRT.js's files") : '',
      accelerator,
      threads,
      sha256: sha256 ?? '',
    },
    workerUrl: worker ? absoluteUrl(worker, base, 'the worker') : null,
  };
}
