// What surrounds the work, here and on the page of web/demo: what is said, how far it is, where
// recordings come from and texts go to.
import { whyNoMicrophone } from './recorder.js';
import { clock } from './transcript.js';

const $ = (id) => document.getElementById(id);

export function say(text, isError = false) {
  $('status').textContent = text;
  $('status').classList.toggle('error', isError);
}

/// From 0 to 1; null: it is not known.
export function showProgress(share) {
  if (share === null) $('progress').removeAttribute('value');
  else $('progress').value = share;
}

/// While something runs it can be cancelled, and the controls of these ids wait.
export function setWorking(isWorking, ids) {
  const [from, to] = isWorking ? ['start', 'cancel'] : ['cancel', 'start'];
  const hadFocus = document.activeElement === $(from);
  $('start').hidden = isWorking;
  $('cancel').hidden = !isWorking;
  $('work').hidden = !isWorking;
  for (const id of ids) $(id).disabled = isWorking;
  $('result').setAttribute('aria-busy', String(isWorking));
  if (hadFocus) $(to).focus({ preventScroll: true });
}

/// One of the parts of the place where recordings are dropped.
export function showSource(part) {
  for (const one of $('drop').children) one.hidden = one.id !== part;
}

/// Calls `take(file)` when a file is dropped, wherever on the page that is; says why when it cannot be
/// taken, as while `isWorking()`.
export function onDrop(take, isWorking) {
  addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dragging');
  });
  addEventListener('dragleave', ({ relatedTarget }) => {
    if (!relatedTarget) document.body.classList.remove('dragging');
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    const { files } = event.dataTransfer;
    if (files.length === 0) return;
    if (!$('recording').hidden) say('The microphone is being recorded: stop that, then drop the file again.');
    else if (isWorking()) say('Something is being transcribed: drop the file again when that is done.');
    else if (files.length > 1) say('One recording is taken at a time: drop a single file.', true);
    else take(files[0]);
  });
}

/// Says why there is no microphone; the buttons of these ids need one.
export function offerMicrophone(ids) {
  const reason = whyNoMicrophone();
  $('no-microphone').textContent = reason;
  $('no-microphone').hidden = !reason;
  for (const id of ids) $(id).hidden = Boolean(reason);
}

export async function record(recorder) {
  try {
    await recorder.start((level, seconds) => {
      $('level').style.setProperty('--level', String(level));
      $('recorded').textContent = clock(seconds);
    });
  } catch (error) {
    say(error.message, true);
    return;
  }
  say('Recording.');
  showSource('recording');
  $('stop').focus();
}

function save(name, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/// A button for each pair of a format and what gives the text in it.
export function showFormats(formats) {
  const buttons = formats.map(([format, write]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = format;
    button.setAttribute('aria-label', `Save as ${format}`);
    button.addEventListener('click', () => save(`${$('title').textContent}.${format}`, write()));
    return button;
  });
  $('formats').replaceChildren(...buttons);
}

export async function copy(text) {
  const area = document.createElement('textarea');
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is only the old way.
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say('Copied.');
}
