// Builds the package into dist/: the module of the page, the classic script of the worker, types.
//   node build.mjs          the package
//   node build.mjs FOLDER   and the page of demo/ with all it needs but the models, into FOLDER
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
process.chdir(here);

const common = { bundle: true, target: 'es2022', legalComments: 'none', logLevel: 'warning' };
rmSync('dist', { recursive: true, force: true });
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  format: 'esm',
});
await build({
  ...common,
  entryPoints: ['src/worker.ts'],
  outfile: 'dist/worker.js',
  format: 'iife',
  minify: true,
});
execFileSync(process.execPath, [
  'node_modules/typescript/bin/tsc',
  '--emitDeclarationOnly',
], { stdio: 'inherit' });
