/** What computes. */
export type Accelerator = 'wasm' | 'webgpu';
