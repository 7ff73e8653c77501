// LiteRT.js: which of its four builds runs here, and how it is told where its files are.
import { type CompileOptions, getGlobalLiteRt, loadLiteRt, supportsFeature, unloadLiteRt } from '@litertjs/core';
import type { Accelerator } from './accelerator.js';
import { WhisperError, messageOf, sentence } from './errors.js';

/** What was asked for, and what it became. */
export interface Runtime {
  accelerator: Accelerator;
  /** Of WebAssembly; 1 with WebGPU. */
  threads: number;
  compileOptions: CompileOptions;
}

/** Globals of a classic worker that LiteRT.js's glue uses. */
interface GlueScope {
  crossOriginIsolated: boolean;
  Module?: { locateFile(name: string): string; mainScriptUrlOrBlob: string };
}
const scope = self as unknown as GlueScope;

const MOST_THREADS = 8; // more share too little work

/** How many threads there may be: one where the page is not isolated from other origins. */
async function threadsFor(wanted: number | undefined): Promise<number> {
  const can = (await supportsFeature('threads')) && (await supportsFeature('relaxedSimd'));
  if (!scope.crossOriginIsolated || !can) return 1;
  return Math.max(1, wanted ?? Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS));
}

function tellPlace(folder: string, build: string): void {
  scope.Module = {
    locateFile: (name) => folder + name,
    mainScriptUrlOrBlob: folder + build,
  };
}

async function loadFrom(folder: string, options: Parameters<typeof loadLiteRt>[1]): Promise<void> {
  try {
    await loadLiteRt(folder, options);
  } catch (error) {
    throw new WhisperError(
      'network',
      sentence(
        `LiteRT.js could not be loaded from ${folder}, where the files of @litertjs/core/wasm should be ` +
          `(option runtime): ${messageOf(error)}`,
      ),
    );
  }
}

/** Loads LiteRT for WebAssembly from the files in `folder`, whose URL ends with a slash. */
export async function loadWasm(folder: string, wanted: number | undefined): Promise<Runtime> {
  const threads = await threadsFor(wanted);
  // The script that its threads run; those without threads do not look at it.
  tellPlace(folder, 'litert_wasm_threaded_internal.js');
  await loadFrom(folder, { threads: threads > 1 });
  return {
    accelerator: 'wasm',
    threads,
    compileOptions: { accelerator: 'wasm', cpuOptions: { numThreads: threads } },
  };
}

/** Loads LiteRT for WebGPU; null where there is none. */
export async function loadWebGpu(folder: string): Promise<Runtime | null> {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  if (!(await gpu?.requestAdapter())) return null;
  const jspi = (await supportsFeature('jspi')) && (await supportsFeature('relaxedSimd'));
  tellPlace(folder, '');
  await loadFrom(folder, { jspi });
  return {
    accelerator: 'webgpu',
    threads: 1,
    compileOptions: { accelerator: 'webgpu', gpuOptions: { precision: 'fp32' } },
  };
}

/** The same build, computing on the processor. */
export function processorOf(runtime: Runtime): Runtime {
  const compileOptions: CompileOptions = { accelerator: 'wasm', cpuOptions: { numThreads: 1 } };
  return { ...runtime, accelerator: 'wasm', compileOptions };
}

/** Bytes of memory that LiteRT has taken. */
export function heapSize(): number {
  return getGlobalLiteRt().liteRtWasm.HEAPU8.byteLength;
}

export { unloadLiteRt };
