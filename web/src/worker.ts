// The worker in which everything is computed. A classic one: LiteRT.js's glue calls importScripts().
import { download, forgetDownload } from './download.js';
import { WhisperError, asWhisperError, cancelledError } from './errors.js';
import { checkContentHash, checkSha256 } from './integrity.js';
import { LiteRtModel } from './litert_model.js';
import { Live, type LiveText } from './live.js';
import { LongForm, type Tools } from './long_form.js';
import type { Answer, LoadRequest, LoadedModel, Request } from './messages.js';
import { type ModelInfo, readModelInfo } from './model_info.js';
import { checkedOptions } from './options.js';
import { type Runtime, heapSize, loadWasm, loadWebGpu, processorOf, unloadLiteRt } from './runtime.js';
import { isClose, logitsOfSilence } from './self_check.js';
import { SileroModel, checkSilero } from './silero.js';
import { joined } from './sound.js';
import { EnergyDetector, type SpeechDetector } from './speech_detector.js';
import { Tokenizer } from './tokenizer.js';

const answer = (message: Answer) => (self.postMessage as (message: Answer) => void)(message);

/** A model that is loaded, and what belongs to it. */
interface Loaded {
  tools: Tools;
  newDetector: () => SpeechDetector;
}

let loaded: Loaded | null = null;
let queue: Promise<void> = Promise.resolve();
const cancelled = new Set<number>();
/** Live sound, and samples that wait to be heard. */
const listeners = new Map<number, { live: Live | null; waiting: Float32Array[] }>();

/** What is done one after the other. What fails is told under its number. */
function enqueue(id: number | null, work: () => Promise<void>): void {
  queue = queue.then(work).catch((error: unknown) => {
    if (id !== null) {
      listeners.delete(id);
      cancelled.delete(id);
    }
    const { code, message } = asWhisperError(error);
    answer({ kind: 'failed', id, code, message });
  });
}

function checkCancelled(id: number): void {
  if (cancelled.has(id)) throw cancelledError();
}

/**
 * Loads the model on the GPU. Some kernels of WebGPU compute something else without an error: throws
 * WhisperError when what the model says of silence is not what it says on the processor.
 */
async function loadChecked(file: Uint8Array, info: ModelInfo, runtime: Runtime): Promise<LiteRtModel> {
  const onProcessor = await LiteRtModel.load(file, info, processorOf(runtime));
  let wanted: Float32Array;
  try {
    wanted = await logitsOfSilence(onProcessor);
  } finally {
    onProcessor.delete();
  }
  const model = await LiteRtModel.load(file, info, runtime);
  try {
    if (!isClose(await logitsOfSilence(model), wanted)) {
      throw new WhisperError('unsupported', 'this model gives other numbers there than on the processor.');
    }
  } catch (error) {
    model.delete();
    throw error;
  }
  return model;
}

/** Where LiteRT.js's files are; with a slash at the end. */
function runtimeFolder({ runtimeUrl }: LoadRequest): string {
  const url = runtimeUrl || new URL('litert/', self.location.href).href;
  return url.endsWith('/') ? url : `${url}/`;
}

/** Compiles the model on what was asked for, or on what there is instead. */
async function compile(
  file: Uint8Array,
  info: ModelInfo,
  request: LoadRequest,
  warnings: string[],
): Promise<{ model: LiteRtModel; runtime: Runtime }> {
  if (request.accelerator === 'webgpu') {
    const runtime = await loadWebGpu(runtimeFolder(request));
    if (runtime === null) {
      warnings.push('This browser has no WebGPU here: WebAssembly computes.');
    } else {
      try {
        return { model: await loadChecked(file, info, runtime), runtime };
      } catch (error) {
        warnings.push(`WebAssembly computes, not WebGPU: ${asWhisperError(error).message}`);
        unloadLiteRt();
      }
    }
  }
  const runtime = await loadWasm(runtimeFolder(request), request.threads);
  return { model: await LiteRtModel.load(file, info, runtime), runtime };
}

async function load(request: LoadRequest): Promise<LoadedModel> {
  const { url, vadUrl } = request;
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  const checkSha = async (file: Uint8Array<ArrayBuffer>) => {
    if (request.sha256 !== '') await checkSha256(file, request.sha256, url);
  };
  const { bytes, isFromCache } = await download(url, {
    onProgress: (done, total) => {
      answer({ kind: 'loading', progress: { stage: 'download', loaded: done, total } });
    },
    onWarning,
    check: async (file) => {
      await checkSha(file);
      checkContentHash(file, readModelInfo(file, url).hash, url);
    },
    // It may have been fetched without that condition, or be another version.
    checkKept: checkSha,
  });
  answer({ kind: 'loading', progress: { stage: 'prepare', loaded: bytes.length, total: bytes.length } });
  const info = readModelInfo(bytes, url);
  const { model, runtime } = await compile(bytes, info, request, warnings).catch(async (error: unknown) => {
    // What no browser can run need not be kept.
    if (error instanceof WhisperError && error.code === 'unsupported') await forgetDownload(url);
    throw error;
  });
  let newDetector = (): SpeechDetector => new EnergyDetector();
  if (vadUrl !== '') {
    const vad = await download(vadUrl, { onWarning, check: async (file) => checkSilero(file, vadUrl) });
    const silero = await SileroModel.load(vad.bytes, vadUrl, runtime);
    newDetector = () => silero.detector();
  }
  const tokenizer = new Tokenizer(info.vocabulary, info.config);
  loaded = { tools: { model, tokenizer, detector: newDetector() }, newDetector };
  return {
    name: info.name,
    languages: [...info.config.languages.keys()],
    isMultilingual: info.config.is_multilingual,
    accelerator: runtime.accelerator,
    threads: runtime.threads,
    isFromCache,
    warnings,
  };
}

function current(): Loaded {
  if (loaded === null) throw new WhisperError('internal', 'The model is not loaded.');
  return loaded;
}

/** All sound that waits at once: it goes on coming while something is transcribed. */
async function hear(id: number): Promise<void> {
  checkCancelled(id);
  const listener = listeners.get(id);
  if (!listener?.live || listener.waiting.length === 0) return;
  const samples = joined(listener.waiting.splice(0));
  await listener.live.push(samples);
}

function handle(request: Request): void {
  switch (request.kind) {
    case 'load':
      return enqueue(null, async () => answer({ kind: 'loaded', model: await load(request) }));
    case 'transcribe': {
      const { id, audio, options } = request;
      return enqueue(id, async () => {
        checkCancelled(id);
        const { tools } = current();
        const checked = checkedOptions(options, tools.model.info.config);
        const longForm = new LongForm(tools, audio, checked, {
          onSegment: (segment) => answer({ kind: 'segment', id, segment }),
          onProgress: (progress) => answer({ kind: 'progress', id, progress }),
          check: () => checkCancelled(id),
        });
        answer({ kind: 'done', id, transcript: await longForm.run() });
      });
    }
    case 'listen': {
      const { id, options } = request;
      listeners.set(id, { live: null, waiting: [] });
      return enqueue(id, async () => {
        const { tools, newDetector } = current();
        const onText = (text: LiveText) => answer({ kind: 'text', id, text });
        const live = new Live(tools, newDetector(), options, () => checkCancelled(id), onText);
        listeners.get(id)!.live = live;
      });
    }
    case 'sound': {
      const { id, samples } = request;
      listeners.get(id)?.waiting.push(samples);
      return enqueue(id, () => hear(id));
    }
    case 'finish': {
      const { id } = request;
      return enqueue(id, async () => {
        await hear(id);
        await listeners.get(id)?.live?.finish();
        listeners.delete(id);
        answer({ kind: 'done', id, transcript: null });
      });
    }
    case 'memory': {
      const { id } = request;
      return enqueue(id, async () => answer({ kind: 'memory', id, bytes: heapSize() }));
    }
    case 'cancel': {
      const { id } = request;
      cancelled.add(id); // at once, for what is at work
      return enqueue(id, async () => checkCancelled(id)); // and then it is forgotten
    }
  }
}

self.onmessage = ({ data }: MessageEvent<Request>) => handle(data);
