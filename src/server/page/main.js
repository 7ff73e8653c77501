// The page as a whole: a recording is chosen, sent, shown, played and saved.
import { ApiFailure, getList, setKey, transcribe } from './api.js';
import { showOptions } from './options.js';
import { Player } from './player.js';
import { Recorder } from './recorder.js';
import { copy, offerMicrophone, onDrop, record, say, setWorking, showFormats, showProgress, showSource } from './shell.js';
import { clock, TranscriptView } from './transcript.js';

const $ = (id) => document.getElementById(id);

const view = new TranscriptView($('segments'), (seconds) => player.play(seconds));
const player = new Player((seconds) => view.show(seconds));
const recorder = new Recorder();

let models = [];
let changedOptions = () => [];
let file = null;
let work = null; // the AbortController of what runs

const size = (bytes) => {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power && bytes / 1000 ** power < 10 ? 1 : 0)} ${units[power]}`;
};

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

// The key

function askForKey(why) {
  $('key-text').textContent = why;
  $('key').value = '';
  const dialog = $('key-dialog');
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === 'continue' ? $('key').value.trim() : '');
    dialog.addEventListener('close', answer, { once: true });
  });
}

/// What `request` gives, asked again with a key where one is needed, and later where the server
/// says so.
async function insisting(request, signal) {
  for (let wasAsked = false;;) {
    try {
      return await request();
    } catch (error) {
      if (error.status === 401) {
        const key = await askForKey(wasAsked ? error.message : 'It is kept until this tab is closed.');
        if (!key) throw error;
        setKey(key);
        wasAsked = true;
      } else if ((error.status === 429 || error.status === 503) && error.retryAfter > 0) {
        const what = error.status === 429 ? 'busy' : 'not ready';
        // Said once, not every second to those who listen; the bar tells the rest.
        say(`The server is ${what}. Trying again in ${error.retryAfter} s.`);
        for (let left = error.retryAfter; left > 0; --left) {
          showProgress(left / error.retryAfter);
          await pause(1, signal);
        }
      } else {
        throw error;
      }
    }
  }
}

// What can be chosen

const languageNames = new Intl.DisplayNames(['en'], { type: 'language' });

function showLanguages() {
  const codes = models.find(({ id }) => id === $('model').value)?.languages ?? [];
  const chosen = $('language').value;
  const known = codes.map((code) => new Option(languageNames.of(code), code));
  known.sort((a, b) => a.text.localeCompare(b.text));
  // A model that knows one language detects none.
  $('language').replaceChildren(...(codes.length === 1 ? [] : [new Option('Detect', '')]), ...known);
  if (codes.includes(chosen)) $('language').value = chosen;
  $('translate').disabled = codes.length === 1;
  if ($('translate').disabled) $('form').elements.task.value = 'transcribe';
}

/// A model that is opened when first asked for tells its languages only then.
async function learnLanguages() {
  if (models.find(({ id }) => id === $('model').value)?.languages.length) return;
  models = await getList('/v1/models');
  showLanguages();
}

async function showChoices() {
  try {
    models = await insisting(() => getList('/v1/models'));
    $('model').replaceChildren(...models.map(({ id }) => new Option(id)));
    showLanguages();
    changedOptions = showOptions($('options'), await insisting(() => getList('/v1/options')));
    say('');
  } catch (error) {
    say(error.message, true);
  }
}

// The recording

async function take(chosen) {
  file = chosen;
  view.clear();
  $('result').hidden = true;
  $('save').hidden = true;
  $('name').textContent = file.name;
  $('facts').textContent = size(file.size);
  $('start').disabled = false;
  showSource('chosen');
  say('');
  view.setPlayable(false);
  const isPlayable = await player.load(file);
  if (file !== chosen) return;
  view.setPlayable(isPlayable);
  if (isPlayable) $('facts').textContent = `${clock(player.duration)}, ${size(file.size)}`;
  else $('facts').textContent += '; this browser cannot play it';
  $('start').scrollIntoView({ block: 'nearest' }); // not under the player
}

function forget() {
  work?.abort();
  file = null;
  player.unload();
  view.setPlayable(false);
  $('file').value = '';
  $('start').disabled = true;
  showSource('empty');
  $('file').focus();
}

async function finishRecording() {
  await take(await recorder.stop());
  $('start').focus();
}

// The work

function formOf() {
  const form = new FormData();
  // First: a large file whose fields are known is transcribed while it comes, and its text is told
  // at the end.
  form.set('file', file, file.name);
  form.set('model', $('model').value);
  form.set('response_format', 'verbose_json');
  form.set('stream', 'true');
  form.set('formats', 'all');
  form.append('timestamp_granularities[]', 'segment');
  if ($('words').checked) form.append('timestamp_granularities[]', 'word');
  if ($('language').value) form.set('language', $('language').value);
  for (const [name, value] of changedOptions()) form.set(name, value);
  return form;
}

function onUpload(share) {
  if (share < 1) {
    say('Sending the recording.');
    showProgress(share);
  } else {
    say('Waiting for the first words.');
    showProgress(null);
  }
}

function onEvent(event) {
  if (event.type === 'transcript.text.segment') {
    if (view.length === 0) say('Transcribing.');
    $('result').hidden = false;
    view.add(event);
  } else if (event.type === 'transcript.progress') {
    const total = event.total || player.duration;
    showProgress(total > 0 ? Math.min(1, event.done / total) : null);
  }
}

async function start() {
  const task = $('form').elements.task.value;
  const path = task === 'translate' ? '/v1/audio/translations' : '/v1/audio/transcriptions';
  work = new AbortController();
  const { signal } = work;
  view.clear();
  $('result').hidden = true;
  $('save').hidden = true;
  $('title').textContent = file.name.replace(/\.[^.]*$/, '');
  $('about').textContent = '';
  showProgress(0);
  setWorking(true, ['other']);
  const begin = performance.now();
  try {
    const send = () => {
      view.clear();
      return transcribe(path, formOf(), { onUpload, onEvent, signal });
    };
    const { transcript } = await insisting(send, signal);
    showResult(transcript, (performance.now() - begin) / 1000);
    await learnLanguages();
  } catch (error) {
    if (signal.aborted) say('Cancelled.');
    else if (error instanceof ApiFailure) say(error.message, true);
    else throw error;
  } finally {
    work = null;
    setWorking(false, ['other']);
  }
}

function showResult({ language, duration, warnings = [], formats }, seconds) {
  const name = language ? language[0].toUpperCase() + language.slice(1) : '';
  $('about').textContent = [name, clock(duration), `${view.length} segments`].filter(Boolean).join(' · ');
  $('result').hidden = false;
  say([view.length ? `Done in ${clock(seconds)}.` : 'No speech was found.', ...warnings].join(' '));
  showFormats(Object.entries(formats).map(([format, text]) => [format, () => text]));
  $('save').hidden = false;
}

// What people do

$('model').addEventListener('change', showLanguages);
$('file').addEventListener('change', ({ target }) => target.files[0] && take(target.files[0]));
$('record').addEventListener('click', () => record(recorder));
$('stop').addEventListener('click', finishRecording);
$('other').addEventListener('click', forget);
$('copy').addEventListener('click', () => copy(view.text));
$('cancel').addEventListener('click', () => work?.abort());
$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (file && !work) start();
});
// A field that is wrong must be seen.
$('form').addEventListener('invalid', () => ($('more').open = true), true);

onDrop(take, () => Boolean(work));

offerMicrophone(['record']);
await showChoices();
