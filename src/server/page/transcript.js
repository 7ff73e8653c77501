// Segments and words on the page.

/// 1:02:03, 2:03
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, '0') : part)).join(':');
}

// The text with an element for each word: words come without the white space between them.
function fill(paragraph, text, words) {
  const spans = [];
  let rest = text.trim();
  for (const { word, start, end } of words) {
    const at = rest.indexOf(word);
    if (at < 0 || !word) continue;
    paragraph.append(rest.slice(0, at));
    const span = document.createElement('span');
    span.className = 'word';
    span.textContent = word;
    paragraph.append(span);
    spans.push({ start, end, element: span });
    rest = rest.slice(at + word.length);
  }
  paragraph.append(rest);
  return spans;
}

// The last of `items`, which are in the order of their times, that has begun and not ended.
function itemAt(items, seconds) {
  let low = 0;
  for (let high = items.length; low < high;) {
    const middle = (low + high) >> 1;
    if (items[middle].start <= seconds) low = middle + 1;
    else high = middle;
  }
  const item = items[low - 1];
  return item && seconds < item.end ? item : null;
}

function isVisible(element) {
  const box = element?.getBoundingClientRect();
  return box !== undefined && box.bottom > 0 && box.top < innerHeight;
}

export class TranscriptView {
  #list;
  #segments = [];
  #words = [];
  #current = new Set();
  #last = null; // the segment that was spoken last
  #isPlayable = false;

  /// `onPlay(seconds)` is called when a place in the text was chosen.
  constructor(list, onPlay) {
    this.#list = list;
    this.onPlay = onPlay;
    list.addEventListener('click', (event) => this.#choose(event));
  }

  clear() {
    this.#list.replaceChildren();
    this.#segments = [];
    this.#words = [];
    this.#current.clear();
    this.#last = null;
  }

  get length() {
    return this.#segments.length;
  }

  get text() {
    return this.#segments.map(({ text }) => text.trim()).join('\n');
  }

  setPlayable(isPlayable) {
    this.#isPlayable = isPlayable;
    this.#list.classList.toggle('playable', isPlayable);
    for (const button of this.#list.querySelectorAll('button')) button.disabled = !isPlayable;
  }

  /// `lang`: code of its language, where it is known.
  add({ start, end, text, words = [], lang = '' }) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = clock(start);
    button.setAttribute('aria-label', `Play from ${clock(start)}`);
    button.disabled = !this.#isPlayable;
    const paragraph = document.createElement('p');
    paragraph.dir = 'auto';
    if (lang) paragraph.lang = lang;
    this.#words.push(...fill(paragraph, text, words));
    item.append(button, paragraph);
    this.#list.append(item);
    this.#segments.push({ start, end, text, element: item });
  }

  /// Marks what is spoken then.
  show(seconds) {
    const segment = itemAt(this.#segments, seconds);
    const word = itemAt(this.#words, seconds);
    if (segment && segment !== this.#last) {
      // Who has scrolled elsewhere is left there.
      if (isVisible(this.#last?.element)) segment.element.scrollIntoView({ block: 'nearest' });
      this.#last = segment;
    }
    const now = new Set([segment, word].filter(Boolean).map(({ element }) => element));
    for (const element of this.#current) if (!now.has(element)) element.classList.remove('current');
    for (const element of now) element.classList.add('current');
    this.#current = now;
  }

  #choose({ target }) {
    const index = [...this.#list.children].indexOf(target.closest('li'));
    if (index < 0 || !this.#isPlayable || String(getSelection())) return;
    const word = this.#words.find(({ element }) => element === target);
    this.onPlay((word ?? this.#segments[index]).start);
  }
}
