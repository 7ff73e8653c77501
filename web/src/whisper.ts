import type { Accelerator } from './accelerator.js';
import { type AudioInput, decodeAudio } from './audio.js';
import { Channel } from './channel.js';
import { forgetDownload, isDownloaded } from './download.js';
import { WhisperError, asWhisperError, cancelledError, check, kindOf, messageOf, sentence } from './errors.js';
import type { LiveOptions, LiveText } from './live.js';
import { type LoadOptions, absoluteUrl, checkCaller, checkedLoad } from './load_options.js';
import type { Answer, LoadedModel, Request } from './messages.js';
import { type Hearing, listenTo } from './microphone.js';
import type { TranscribeOptions } from './options.js';
import type { Segment } from './segments.js';
import type { TranscribeProgress, Transcript } from './transcript.js';

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
    worker.onerror = (event) => this.fail(workerFault(event));
  }

  /**
   * Fetches a bundle that `whisper-s4y convert --for web` has made, unless the browser has it, and
   * makes it ready. Throws WhisperError.
   */
  static async load(url: string | URL, options: LoadOptions = {}): Promise<Whisper> {
    const { request, workerUrl } = checkedLoad(url, options, document.baseURI);
    const { signal, onProgress } = options;
    if (signal?.aborted) throw cancelledError();
    const worker = startWorker(workerUrl);
    let cancel = () => {};
    try {
      const model = await new Promise<LoadedModel>((resolve, reject) => {
        cancel = () => reject(cancelledError());
        signal?.addEventListener('abort', cancel, { once: true });
        worker.onmessage = ({ data }: MessageEvent<Answer>) => {
          if (data.kind === 'loading') onProgress?.(data.progress);
          else if (data.kind === 'loaded') resolve(data.model);
          else if (data.kind === 'failed') reject(new WhisperError(data.code, data.message));
        };
        worker.onerror = (event) => reject(workerFault(event));
        worker.postMessage(request);
      });
      return new Whisper(worker, model);
    } catch (error) {
      worker.terminate(); // what it fetches ends with it
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Whether the browser has the file, so that loading it needs no network. */
  static async isDownloaded(url: string | URL): Promise<boolean> {
    return isDownloaded(absoluteUrl(url, document.baseURI, 'the model'));
  }

  /** Removes a file that was loaded from the browser. */
  static async forget(url: string | URL): Promise<void> {
    return forgetDownload(absoluteUrl(url, document.baseURI, 'the model'));
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
  transcribe(audio: AudioInput, request: TranscribeRequest = {}): Transcription {
    const { wrong, given } = checkedCaller(request);
    const { signal, onProgress, ...options } = given;
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
      (wrong ? Promise.reject(wrong) : decodeAudio(audio))
        .then((decoded) => {
          // The caller's samples stay the caller's.
          const samples = decoded === audio ? decoded.slice() : decoded;
          if (this.works.has(id)) this.post({ kind: 'transcribe', id, audio: samples, options }, [samples.buffer]);
        })
        .catch((error: unknown) => this.failOne(id, asWhisperError(error)));
    });
    // Who takes the segments alone hears of errors there.
    transcript.catch(() => {});
    return Object.assign(channel, { transcript });
  }

  /**
   * Transcribes what is spoken into a stream, as of `navigator.mediaDevices.getUserMedia()`, until it
   * is stopped or the stream's tracks have ended.
   */
  listen(stream: MediaStream, request: ListenRequest = {}): Listening {
    const { wrong, given } = checkedCaller(request);
    const { signal, ...options } = given;
    const id = this.nextId++;
    const channel = new Channel<LiveText>(() => this.cancel(id));
    let hearing: Hearing | null = null;
    const over = new Promise<void>((resolve) => {
      const end = (error: WhisperError | null) => {
        channel.end(error);
        void hearing?.stop();
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
    let isFinished = false;
    const stop = async () => {
      await started;
      await hearing?.stop();
      if (this.works.has(id) && !isFinished) this.post({ kind: 'finish', id });
      isFinished = true;
      await over;
    };
    const begin = async () => {
      if (wrong) throw wrong;
      check(kindOf(stream) === 'MediaStream', `The stream is of the type ${kindOf(stream)}, expected a MediaStream.`);
      this.post({ kind: 'listen', id, options });
      const onSamples = (samples: Float32Array) => {
        if (this.works.has(id)) this.post({ kind: 'sound', id, samples });
      };
      hearing = await listenTo(stream, onSamples, () => void stop()).catch(unheard);
      if (!this.works.has(id)) await hearing.stop();
    };
    // Told after the caller has got hold of what fails.
    const started = Promise.resolve()
      .then(begin)
      .catch((error: unknown) => this.cancel(id, asWhisperError(error)));
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

  /** Throws WhisperError when there is something in it that no worker can be told. */
  private post(request: Request, transfer: Transferable[] = []): void {
    try {
      this.worker.postMessage(request, transfer);
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'DataCloneError') throw error;
      throw new WhisperError('invalid_argument', sentence(`The options are to be plain values: ${error.message}`));
    }
  }

  private start(id: number, signal: AbortSignal | undefined, work: Work): void {
    this.works.set(id, work);
    const cancel = () => this.cancel(id);
    // Told after the caller has got hold of what fails.
    if (this.isClosed) queueMicrotask(() => this.failOne(id, new WhisperError('cancelled', 'The model was closed.')));
    else if (signal?.aborted) queueMicrotask(cancel);
    else signal?.addEventListener('abort', cancel, { once: true });
  }

  private cancel(id: number, reason = cancelledError()): void {
    if (!this.works.has(id)) return;
    this.post({ kind: 'cancel', id });
    this.failOne(id, reason);
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

/** What was asked for, or nothing of it and what is wrong with it. */
function checkedCaller<T extends object>(request: T): { wrong: WhisperError | null; given: T } {
  try {
    checkCaller(request);
    return { wrong: null, given: request };
  } catch (error) {
    return { wrong: asWhisperError(error), given: {} as T };
  }
}

function unheard(error: unknown): never {
  if (error instanceof WhisperError) throw error;
  throw new WhisperError('unsupported', sentence(`The stream cannot be heard: ${messageOf(error)}`));
}

function startWorker(url: string | null): Worker {
  try {
    // Bundlers know the latter form, and take worker.js along.
    return url !== null ? new Worker(url) : new Worker(new URL('./worker.js', import.meta.url));
  } catch (error) {
    throw new WhisperError('invalid_argument', sentence(`The worker could not be started: ${messageOf(error)}`));
  }
}

function workerFault(event: ErrorEvent): WhisperError {
  return event.message
    ? new WhisperError('internal', sentence(`The worker has failed: ${event.message}`))
    : new WhisperError(
        'network',
        'The worker could not be started: worker.js is to be where the option worker says, at the origin of the page.',
      );
}
