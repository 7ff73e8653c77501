// Builds the package into dist/: the module of the page, the classic script of the worker, types.
//   node build.mjs                 the package
//   node build.mjs --site FOLDER   the page of demo/ with all it needs but the models, into FOLDER
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const serverPage = join(here, '../src/server/page');
const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const common = {
  absWorkingDir: here,
  bundle: true,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
};

/** The module and the worker. */
async function buildPackage(module, worker, minify) {
  await build({ ...common, entryPoints: ['src/index.ts'], outfile: module, format: 'esm', minify });
  await build({ ...common, entryPoints: ['src/worker.ts'], outfile: worker, format: 'iife', minify: true });
}

/** The page uses the package as any page does: as a module beside it. */
const packageBeside = {
  name: 'package-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^whisper-s4y$/ }, () => ({ path: './whisper-s4y.js', external: true }));
  },
};

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** Markup that both pages have stands in the server's: the element whose first line has these words. */
function withSharedMarkup(html) {
  const lines = readFileSync(join(serverPage, 'index.html'), 'utf8').split('\n');
  return html.replace(/^( *)<!-- server's page: (.+) -->$/gm, (_, indent, words) => {
    const first = lines.findIndex((line) => line.includes(words));
    if (first < 0) throw new Error(`The server's page has no element with ${words}.`);
    const depth = lines[first].search(/\S/);
    const last = lines.findIndex((line, i) => i > first && line.startsWith(`${' '.repeat(depth)}</`));
    return lines.slice(first, last + 1).map((line) => indent + line.slice(depth)).join('\n');
  });
}

async function buildSite(folder) {
  mkdirSync(folder, { recursive: true });
  await buildPackage(join(folder, 'whisper-s4y.js'), join(folder, 'worker.js'), true);
  cpSync(join(here, 'node_modules/@litertjs/core/wasm'), join(folder, 'litert'), { recursive: true });
  const demo = join(here, 'demo');
  if (!existsSync(demo)) return;
  for (const name of readdirSync(demo).filter((one) => !/\.ts$|^tsconfig/.test(one))) {
    cpSync(join(demo, name), join(folder, name));
  }
  writeFileSync(join(folder, 'index.html'), withSharedMarkup(readFileSync(join(demo, 'index.html'), 'utf8')));
  // The look is that of the server's page.
  for (const name of ['style.css', 'icon.svg']) cpSync(join(serverPage, name), join(folder, name));
  await build({
    ...common,
    entryPoints: ['demo/main.ts'],
    outfile: join(folder, 'main.js'),
    format: 'esm',
    minify: true,
    plugins: [packageBeside],
  });
  // The service worker keeps what the page is made of, under a name that changes with it. Models
  // and LiteRT.js are kept when they are first fetched.
  const files = filesIn(folder).filter((name) => !/^(litert|models)\/|^service_worker\.js$|\.png$/.test(name));
  const hash = createHash('sha256');
  for (const name of files) hash.update(name).update(readFileSync(join(folder, name)));
  const define = {
    FILES: JSON.stringify(['./', ...files]),
    VERSION: JSON.stringify(hash.digest('hex').slice(0, 16)),
    RUNTIME_VERSION: JSON.stringify(dependencies['@litertjs/core']),
  };
  await build({
    ...common,
    entryPoints: ['demo/service_worker.ts'],
    outfile: join(folder, 'service_worker.js'),
    format: 'iife',
    minify: true,
    define,
  });
}

if (process.argv[2] === '--site' && process.argv[3]) {
  await buildSite(resolve(process.argv[3]));
} else if (process.argv.length === 2) {
  const dist = join(here, 'dist');
  rmSync(dist, { recursive: true, force: true });
  await buildPackage(join(dist, 'index.js'), join(dist, 'worker.js'), false);
  execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '--emitDeclarationOnly'], {
    cwd: here,
    stdio: 'inherit',
  });
  cpSync(join(here, '../LICENSE'), join(here, 'LICENSE')); // npm packs it from here
} else {
  console.error('usage: node build.mjs [--site FOLDER]');
  process.exit(2);
}
