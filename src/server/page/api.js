// Requests to the server that the page came from.

const KEY = 'api-key';

/// An answer other than the one asked for, as a sentence.
export class ApiFailure extends Error {
  constructor(message, status = 0, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter; // seconds; 0: not to be asked again by itself
  }
}

export const setKey = (key) => sessionStorage.setItem(KEY, key);

function authorization() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

function failure(status, body, retryAfter) {
  let message = `The server has answered with status ${status}.`;
  try {
    message = JSON.parse(body).error.message || message;
  } catch {
    // It was no JSON: the status says what there is to say.
  }
  return new ApiFailure(message, status, Number(retryAfter) || 0);
}

const unreachable = () => new ApiFailure('The server cannot be reached, or it has broken off.');

export async function getList(path) {
  let response;
  try {
    response = await fetch(path, { headers: authorization() });
  } catch {
    throw unreachable();
  }
  const body = await response.text();
  if (!response.ok) throw failure(response.status, body, response.headers.get('Retry-After'));
  return JSON.parse(body).data;
}

/// Takes server-sent events apart as their text grows.
class EventReader {
  #done = 0;

  constructor(onEvent) {
    this.onEvent = onEvent;
  }

  read(text) {
    for (let end; (end = text.indexOf('\n\n', this.#done)) >= 0; this.#done = end + 2) {
      const data = [];
      for (const line of text.slice(this.#done, end).split('\n')) {
        if (line.startsWith('data:')) data.push(line.slice(5));
      }
      if (data.length) this.onEvent(JSON.parse(data.join('\n')));
    }
  }
}

/// Sends a form. `onUpload(share)` and `onEvent(event)` are told what goes on. The promise is
/// fulfilled with the last event; `signal` breaks the request off.
export function transcribe(path, form, { onUpload, onEvent, signal }) {
  return new Promise((resolve, reject) => {
    // fetch() does not tell how much was sent.
    const request = new XMLHttpRequest();
    let last = null;
    let wrong = null;
    const reader = new EventReader((event) => {
      if (event.error) wrong = new ApiFailure(event.error.message);
      else if (event.type === 'transcript.text.done') last = event;
      else onEvent(event);
    });
    const stop = () => request.abort();
    const settle = (what) => {
      signal.removeEventListener('abort', stop);
      what();
    };
    request.upload.onprogress = ({ loaded, total }) => onUpload(total ? loaded / total : 0);
    request.upload.onload = () => onUpload(1);
    request.onprogress = () => {
      if (request.status === 200) reader.read(request.responseText);
    };
    request.onload = () =>
      settle(() => {
        if (request.status !== 200) {
          const { status, responseText } = request;
          reject(failure(status, responseText, request.getResponseHeader('Retry-After')));
          return;
        }
        reader.read(request.responseText);
        if (last) resolve(last);
        else reject(wrong ?? unreachable());
      });
    request.onerror = () => settle(() => reject(wrong ?? unreachable()));
    request.onabort = () => settle(() => reject(signal.reason));
    signal.addEventListener('abort', stop);
    request.open('POST', path);
    for (const [name, value] of Object.entries(authorization())) {
      request.setRequestHeader(name, value);
    }
    request.send(form);
  });
}
