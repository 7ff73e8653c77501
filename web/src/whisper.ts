import type { Accelerator } from './accelerator.js';
import { type AudioInput, decodeAudio } from './audio.js';
import { Channel } from './channel.js';
import { forgetDownload, isDownloaded } from './download.js';
import { WhisperError } from './errors.js';
import type { LiveOptions, LiveText } from './live.js';
import type { Answer, LoadProgress, LoadRequest, LoadedModel, Request } from './messages.js';
import { listenTo } from './microphone.js';
import type { TranscribeOptions } from './options.js';
import type { Segment } from './segments.js';
import type { TranscribeProgress, Transcript } from './transcript.js';

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

/** How a recording is transcribed, and who hears of it. */
export interface TranscribeRequest extends TranscribeOptions {
  /** Ends the work; what waits for segments gets a WhisperError with the code `'cancelled'`. */
  signal?: AbortSignal;
  /** Told how far the work is: at every token. */
  onProgress?: (progress: TranscribeProgress) => void;
}

/** How a stream is transcribed. */
export interface ListenRequest extends LiveOptions {
  /** Ends it at once; stop() hears the utterance to its end instead. */
  signal?: AbortSignal;
}

/** A recording that is being transcribed: its segments, as soon as they are final. */
export interface Transcription extends AsyncIterableIterator<Segment> {
  /** All of it, when it is done. */
  readonly transcript: Promise<Transcript>;
}

/** A stream that is being transcribed: what is known of its utterances. */
export interface Listening extends AsyncIterableIterator<LiveText> {
  /** Ends the stream; resolves when the last utterance has come. */
  stop(): Promise<void>;
}

/** What waits for answers of the worker. */
interface Work {
  onAnswer(answer: Answer): void;
  onFailure(error: WhisperError): void;
}

/**
 * A Whisper model in a worker. It does one thing at a time; what is asked for meanwhile waits.
 *
 *     const whisper = await Whisper.load('whisper-base.tflite');
 *     for await (const segment of whisper.transcribe(file)) console.log(segment.text);
 */
export class Whisper {
  private readonly works = new Map<number, Work>();
  private nextId = 0;
  private isClosed = false;

  private constructor(
    private readonly worker: Worker,
    private readonly model: LoadedModel,
  ) {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.receive(data);
    worker.onerror = (event) => this.fail(new WhisperError('internal', workerFault(event)));
  }

  /**
   * Fetches a bundle that `whisper-s4y convert --for web` has made, unless the browser has it, and
   * makes it ready. Throws WhisperError.
   */
  static async load(url: string | URL, options: LoadOptions = {}): Promise<Whisper> {
    const base = document.baseURI;
    // Bundlers know the latter form, and take worker.js along.
    const worker = options.worker
      ? new Worker(new URL(options.worker, base))
      : new Worker(new URL('./worker.js', import.meta.url));
    const runtime = options.runtime ? new URL(options.runtime, base).href : '';
    const request: LoadRequest = {
      kind: 'load',
      url: new URL(url, base).href,
      vadUrl: options.vad ? new URL(options.vad, base).href : '',
      runtimeUrl: runtime,
      accelerator: options.accelerator ?? 'wasm',
      threads: options.threads,
      sha256: options.sha256 ?? '',
    };
    try {
      const model = await new Promise<LoadedModel>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Answer>) => {
          if (data.kind === 'loading') options.onProgress?.(data.progress);
          else if (data.kind === 'loaded') resolve(data.model);
          else if (data.kind === 'failed') reject(new WhisperError(data.code, data.message));
        };
        worker.onerror = (event) => reject(new WhisperError('internal', workerFault(event)));
        worker.postMessage(request);
      });
      return new Whisper(worker, model);
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  /** Whether the browser has the file, so that loading it needs no network. */
  static isDownloaded(url: string | URL): Promise<boolean> {
    return isDownloaded(new URL(url, document.baseURI).href);
  }

  /** Removes a file that was loaded from the browser. */
  static forget(url: string | URL): Promise<void> {
    return forgetDownload(new URL(url, document.baseURI).href);
  }

  /** The checkpoint's name: `'tiny.en'`. */
  get name(): string {
    return this.model.name;
  }
  /** Codes of the languages that the model knows; none: English only. */
  get languages(): readonly string[] {
    return this.model.languages;
  }
  get isMultilingual(): boolean {
    return this.model.isMultilingual;
  }
  /** What computes. */
  get accelerator(): Accelerator {
    return this.model.accelerator;
  }
  /** Threads of WebAssembly. */
  get threads(): number {
    return this.model.threads;
  }
  /** Whether nothing was fetched. */
  get isFromCache(): boolean {
    return this.model.isFromCache;
  }
  /** What went wrong in loading without harm. */
  get warnings(): readonly string[] {
    return this.model.warnings;
  }

  /** Transcribes a recording of any length. */
  transcribe(audio: AudioInput, { signal, onProgress, ...options }: TranscribeRequest = {}): Transcription {
    const id = this.nextId++;
    const cancel = () => this.cancel(id);
    const channel = new Channel<Segment>(cancel);
    const transcript = new Promise<Transcript>((resolve, reject) => {
      this.start(id, signal, {
        onAnswer: (answer) => {
          if (answer.kind === 'segment') channel.push(answer.segment);
          else if (answer.kind === 'progress') onProgress?.(answer.progress);
          else if (answer.kind === 'done') {
            channel.end();
            resolve(answer.transcript!);
          }
        },
        onFailure: (error) => {
          channel.end(error);
          reject(error);
        },
      });
      decodeAudio(audio).then(
        (decoded) => {
          // The caller's samples stay the caller's.
          const samples = audio instanceof Float32Array ? decoded.slice() : decoded;
          if (this.works.has(id)) this.post({ kind: 'transcribe', id, audio: samples, options }, [samples.buffer]);
        },
        (error: WhisperError) => this.failOne(id, error),
      );
    });
    // Who takes the segments alone hears of errors there.
    transcript.catch(() => {});
    return Object.assign(channel, { transcript });
  }

  /** Transcribes what is spoken into a stream, as of `navigator.mediaDevices.getUserMedia()`. */
  listen(stream: MediaStream, { signal, ...options }: ListenRequest = {}): Listening {
    const id = this.nextId++;
    const channel = new Channel<LiveText>(() => this.cancel(id));
    let source: { stop(): Promise<void> } | null = null;
    const over = new Promise<void>((resolve) => {
      const end = (error: WhisperError | null) => {
        channel.end(error);
        void source?.stop();
        resolve();
      };
      this.start(id, signal, {
        onAnswer: (answer) => {
          if (answer.kind === 'text') channel.push(answer.text);
          else if (answer.kind === 'done') end(null);
        },
        onFailure: end,
      });
    });
    this.post({ kind: 'listen', id, options });
    const started = listenTo(stream, (samples) => {
      if (this.works.has(id)) this.post({ kind: 'sound', id, samples });
    }).then(
      (begun) => {
        source = begun;
        if (!this.works.has(id)) void begun.stop();
      },
      (error: unknown) => this.failOne(id, new WhisperError('unsupported', `The stream cannot be heard: ${error}.`)),
    );
    const stop = async () => {
      await started;
      const begun = source;
      source = null;
      await begun?.stop();
      if (this.works.has(id)) this.post({ kind: 'finish', id });
      await over;
    };
    return Object.assign(channel, { stop });
  }

  /** Bytes of memory that the runtime has taken; it gives none back before close(). */
  memory(): Promise<number> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.start(id, undefined, {
        onAnswer: (answer) => {
          if (answer.kind !== 'memory') return;
          this.works.delete(id);
          resolve(answer.bytes);
        },
        onFailure: reject,
      });
      this.post({ kind: 'memory', id });
    });
  }

  /** Ends the worker and frees its memory; what is at work fails. */
  close(): void {
    this.isClosed = true;
    this.worker.terminate();
    this.fail(new WhisperError('cancelled', 'The model was closed.'));
  }

  private post(request: Request, transfer: Transferable[] = []): void {
    this.worker.postMessage(request, transfer);
  }

  private start(id: number, signal: AbortSignal | undefined, work: Work): void {
    this.works.set(id, work);
    const cancel = () => this.cancel(id);
    // Told after the caller has got hold of what fails.
    if (this.isClosed) queueMicrotask(() => this.failOne(id, new WhisperError('cancelled', 'The model was closed.')));
    else if (signal?.aborted) queueMicrotask(cancel);
    else signal?.addEventListener('abort', cancel, { once: true });
  }

  private cancel(id: number): void {
    if (!this.works.has(id)) return;
    this.post({ kind: 'cancel', id });
    this.failOne(id, new WhisperError('cancelled', 'It was cancelled.'));
  }

  private receive(answer: Answer): void {
    if (answer.kind === 'failed') {
      const error = new WhisperError(answer.code, answer.message);
      if (answer.id === null) this.fail(error);
      else this.failOne(answer.id, error);
      return;
    }
    if (!('id' in answer)) return;
    const work = this.works.get(answer.id);
    if (answer.kind === 'done') this.works.delete(answer.id);
    work?.onAnswer(answer);
  }

  private failOne(id: number, error: WhisperError): void {
    const work = this.works.get(id);
    this.works.delete(id);
    work?.onFailure(error);
  }

  private fail(error: WhisperError): void {
    for (const id of [...this.works.keys()]) this.failOne(id, error);
  }
}

function workerFault(event: ErrorEvent): string {
  return event.message
    ? `The worker has failed: ${event.message}`
    : 'The worker could not be started: is worker.js served from the same origin?';
}
