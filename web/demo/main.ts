// The page as a whole: a model and a recording are chosen, transcribed, shown, played and saved.
import { type Listening, type LoadProgress, type Whisper, toSrt, toVtt } from 'whisper-s4y';
// Parts of the server's page.
import { Player } from '../../src/server/page/player.js';
import { Recorder, openMicrophone } from '../../src/server/page/recorder.js';
import {
  copy,
  offerMicrophone,
  onDrop,
  record,
  say,
  setWorking,
  showFormats,
  showProgress,
  showSource,
} from '../../src/server/page/shell.js';
import { TranscriptView, clock } from '../../src/server/page/transcript.js';
import { Models, type ModelEntry, listModels } from './models.js';

interface Shown {
  start: number;
  end: number;
  text: string;
  lang: string;
}

const $ = (id: string) => document.getElementById(id)!;
const select = (id: string) => $(id) as HTMLSelectElement;
const button = (id: string) => $(id) as HTMLButtonElement;
const input = (id: string) => $(id) as HTMLInputElement;

const view = new TranscriptView($('segments'), (seconds: number) => player.play(seconds));
const player = new Player((seconds: number) => view.show(seconds));
const recorder = new Recorder();

let models: Models;
let noModels = ''; // why there are none
let entries: ModelEntry[] = [];
let shown: Shown[] = []; // the transcript
let file: File | null = null;
let work: AbortController | null = null; // what runs
let listening: Listening | null = null;
let isHushed = false; // the captions were stopped here
let wanted = ''; // language that was chosen; empty: detect it

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

// What can be chosen

const languageNames = new Intl.DisplayNames(['en'], { type: 'language' });

const chosenModel = () => entries[select('model').selectedIndex]!;

function showLanguages(): void {
  const { languages } = chosenModel();
  const known = languages.map((code) => new Option(languageNames.of(code) ?? code, code));
  known.sort((a, b) => a.text.localeCompare(b.text));
  const isEnglish = languages.length === 0;
  select('language').replaceChildren(...(isEnglish ? [new Option('English', 'en')] : [new Option('Detect', ''), ...known]));
  if (languages.includes(wanted)) select('language').value = wanted;
  input('translate').disabled = isEnglish;
  if (isEnglish) ($('form').querySelector('[value=transcribe]') as HTMLInputElement).checked = true;
}

async function showModelFacts(): Promise<void> {
  const entry = chosenModel();
  const isHere = await models.isHere(entry);
  if (entry !== chosenModel()) return;
  const size = megabytes(entry.bytes);
  $('model-facts').textContent = isHere
    ? `The model (${size}) is in this browser.`
    : `The model (${size}) is fetched when it is first used, and kept.`;
  button('forget').hidden = !isHere;
}

async function chooseModel(): Promise<void> {
  showLanguages();
  await showModelFacts();
}

// The recording

function clear(title: string): void {
  view.clear();
  shown = [];
  $('title').textContent = title;
  $('about').textContent = '';
  $('ahead').textContent = '';
  $('speed-now').textContent = '';
  $('result').hidden = true;
  $('save').hidden = true;
}

function show(segment: Shown): void {
  $('result').hidden = false;
  shown.push(segment);
  view.add(segment);
}

async function take(chosen: File): Promise<void> {
  file = chosen;
  clear(file.name.replace(/\.[^.]*$/, ''));
  $('name').textContent = file.name;
  $('facts').textContent = megabytes(file.size);
  button('start').disabled = false;
  showSource('chosen');
  say('');
  view.setPlayable(false);
  const isPlayable = await player.load(file);
  if (file !== chosen) return;
  view.setPlayable(isPlayable);
  if (isPlayable) $('facts').textContent = `${clock(player.duration)}, ${megabytes(file.size)}`;
  $('start').scrollIntoView({ block: 'nearest' }); // not under the player
}

function putAway(): void {
  work?.abort();
  file = null;
  player.unload();
  view.setPlayable(false);
  input('file').value = '';
  button('start').disabled = true;
  showSource('empty');
  input('file').focus();
}

async function finishRecording(): Promise<void> {
  await take(await recorder.stop());
  $('start').focus();
}

// The work

// What waits until it is done.
const BUSY = ['other', 'forget', 'live', 'record', 'model', 'language'];

function tellLoading({ stage, loaded, total }: LoadProgress): void {
  const known = total || chosenModel().bytes;
  if (stage === 'prepare') {
    say('Preparing the model.');
    $('speed-now').textContent = '';
    showProgress(null);
  } else if (loaded < known) {
    say('Fetching the model.');
    $('speed-now').textContent = `${megabytes(loaded)} of ${megabytes(known)}`;
    showProgress(Math.min(1, loaded / known));
  }
}

async function loadModel(signal: AbortSignal): Promise<Whisper> {
  if (noModels) throw new Error(noModels);
  const whisper = await models.get(chosenModel(), tellLoading, signal);
  $('speed-now').textContent = '';
  void showModelFacts();
  return whisper;
}

function tellFailure(error: unknown, signal: AbortSignal): void {
  $('speed-now').textContent = '';
  if (signal.aborted) say('Cancelled.');
  else say(sentenceOf(error), true);
}

function chosenOptions() {
  const language = select('language').value;
  const task = new FormData($('form') as HTMLFormElement).get('task') as 'transcribe' | 'translate';
  return { task, ...(language ? { language } : {}) };
}

/** Of the text: the task may be to translate into English. */
const languageOf = (spoken: string) => (input('translate').checked ? 'en' : spoken);

async function start(recording: File): Promise<void> {
  work = new AbortController();
  const { signal } = work;
  clear($('title').textContent!);
  showProgress(null);
  setWorking(true, BUSY);
  try {
    const whisper = await loadModel(signal);
    signal.throwIfAborted();
    const begin = performance.now();
    say('Waiting for the first words.');
    showProgress(0);
    const transcription = whisper.transcribe(recording, {
      ...chosenOptions(),
      signal,
      onProgress: ({ done, total, tokens, decodingSeconds, tentative }) => {
        showProgress(total > 0 ? done / total : null);
        $('ahead').textContent = tentative.trim();
        if (tentative) $('result').hidden = false;
        if (decodingSeconds > 0) $('speed-now').textContent = `${(tokens / decodingSeconds).toFixed(0)} tokens per second`;
      },
    });
    for await (const segment of transcription) {
      if (shown.length === 0) say('Transcribing.');
      show({ ...segment, lang: languageOf(segment.language) });
    }
    const { language, duration } = await transcription.transcript;
    const threads = whisper.accelerator === 'webgpu' ? 'WebGPU' : counted(whisper.threads, 'thread');
    const facts = [languageNames.of(language), clock(duration), counted(shown.length, 'segment'), threads];
    $('about').textContent = facts.join(' · ');
    $('result').hidden = false;
    const seconds = (performance.now() - begin) / 1000;
    say([shown.length ? `Done in ${seconds.toFixed(1)} s.` : 'No speech was found.', ...whisper.warnings].join(' '));
    $('save').hidden = shown.length === 0;
  } catch (error) {
    tellFailure(error, signal);
    $('save').hidden = shown.length === 0;
  } finally {
    $('ahead').textContent = '';
    work = null;
    setWorking(false, BUSY);
  }
}

// Live captions

async function listen(): Promise<void> {
  work = new AbortController();
  const { signal } = work;
  clear('Captions');
  showProgress(null);
  // What was pressed waits from now on, or goes: the keyboard stays where there is something to press.
  setWorking(true, BUSY);
  $('cancel').focus();
  let stream: MediaStream | null = null;
  isHushed = false;
  try {
    const whisper = await loadModel(signal);
    signal.throwIfAborted();
    say('Waiting for the microphone.');
    stream = await openMicrophone();
    signal.throwIfAborted();
    showSource('listening');
    $('work').hidden = true;
    say('Listening.');
    $('hush').focus();
    listening = whisper.listen(stream, { ...chosenOptions(), signal });
    for await (const { confirmed, tentative, start, end, isFinal, language } of listening) {
      const lang = languageOf(language);
      $('captions').lang = lang;
      $('confirmed').textContent = isFinal ? '' : confirmed;
      $('tentative').textContent = isFinal ? '' : tentative;
      if (isFinal && confirmed.trim()) show({ start, end, text: confirmed, lang });
    }
    say(isHushed ? '' : 'The microphone has gone: the captions end here.');
  } catch (error) {
    tellFailure(error, signal);
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    listening = null;
    work = null;
    for (const id of ['confirmed', 'tentative', 'speed-now']) $(id).textContent = '';
    $('save').hidden = shown.length === 0;
    const wasHere = [document.body, $('cancel'), $('hush')].includes(document.activeElement as HTMLElement);
    showSource('empty');
    setWorking(false, BUSY);
    if (wasHere) $('live').focus();
  }
}

// Saving

const FORMATS: [format: string, write: (segments: Shown[]) => string][] = [
  ['txt', (segments) => segments.map(({ text }) => `${text.trim()}\n`).join('')],
  ['srt', toSrt],
  ['vtt', toVtt],
];

showFormats(FORMATS.map(([format, write]) => [format, () => write(shown)]));

// What people do

$('model').addEventListener('change', () => void chooseModel());
$('language').addEventListener('change', () => (wanted = select('language').value));
$('forget').addEventListener('click', async () => {
  await models.forget(chosenModel());
  await showModelFacts();
  select('model').focus();
});
$('file').addEventListener('change', () => {
  const chosen = input('file').files?.[0];
  if (chosen) void take(chosen);
});
$('record').addEventListener('click', () => void record(recorder));
$('stop').addEventListener('click', () => void finishRecording());
$('live').addEventListener('click', () => void listen());
$('hush').addEventListener('click', () => {
  say('The last words are being written.');
  isHushed = true;
  void listening?.stop();
});
$('other').addEventListener('click', putAway);
$('copy').addEventListener('click', () => void copy(view.text));
$('cancel').addEventListener('click', () => work?.abort());
$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (file && !work) void start(file);
});

onDrop((dropped: File) => void take(dropped), () => work !== null);

/** What is fetched from now on is kept for times without a network. */
async function becomeOffline(): Promise<void> {
  const { serviceWorker } = navigator;
  if (!serviceWorker || serviceWorker.controller) return;
  const isControlled = new Promise((resolve) =>
    serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
  );
  const registration = await serviceWorker.register('service_worker.js');
  const worker = registration.installing ?? registration.waiting;
  if (!worker) return; // it is there, and this page was loaded past it
  const hasFailed = new Promise<void>((resolve) =>
    worker.addEventListener('statechange', () => {
      if (worker.state === 'redundant') resolve();
    }),
  );
  await Promise.race([isControlled, hasFailed]);
}

offerMicrophone(['record', 'live']);

try {
  let warning = '';
  await becomeOffline().catch((error) => (warning = `Without a network this page will not open: ${sentenceOf(error)}`));
  const { models: list, vad } = await listModels();
  entries = list;
  models = new Models(vad);
  select('model').replaceChildren(
    ...entries.map(({ name, languages }) => {
      const knows = languages.length === 0 ? 'English' : `${languages.length} languages`;
      return new Option(`${name} · ${knows}`);
    }),
  );
  await chooseModel();
  say(warning);
} catch (error) {
  noModels = sentenceOf(error);
  say(noModels, true);
}
