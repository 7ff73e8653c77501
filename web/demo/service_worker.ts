// Keeps the page, so that it opens without a network. Models are kept by the package itself.
export {};

/** What the page is made of, a name that changes with it, and LiteRT.js's version; set by build.mjs. */
declare const FILES: string[];
declare const VERSION: string;
declare const RUNTIME_VERSION: string;

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
}
const scope = self as unknown as Scope;

const PAGE = `page-${VERSION}`;
/** LiteRT.js, of which one of four builds is used. */
const RUNTIME = `runtime-${RUNTIME_VERSION}`;
const LIST = 'models/models.json';

async function install(): Promise<void> {
  const cache = await caches.open(PAGE);
  await cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })));
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => /^(page|runtime)-/.test(name) && name !== PAGE && name !== RUNTIME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function keepFirst(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(name);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.status === 200) await cache.put(request, answer.clone());
  return answer;
}

/** The newest, or without a network the last one. */
async function fetchFirst(request: Request): Promise<Response> {
  const cache = await caches.open(PAGE);
  try {
    const answer = await fetch(request);
    if (answer.status === 200) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request);
    if (kept) return kept;
    throw error;
  }
}

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const path = request.url.startsWith(scope.registration.scope)
    ? request.url.slice(scope.registration.scope.length).split(/[?#]/)[0]!
    : null;
  if (request.method !== 'GET' || path === null) return;
  if (path.startsWith('litert/')) event.respondWith(keepFirst(RUNTIME, request));
  else if (path === LIST) event.respondWith(fetchFirst(request));
  else if (FILES.includes(path || './')) event.respondWith(keepFirst(PAGE, request));
});
