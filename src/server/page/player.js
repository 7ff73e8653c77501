// Plays the recording.
import { clock } from './transcript.js';

const $ = (id) => document.getElementById(id);

export class Player {
  #audio = $('audio');
  #position = $('position');
  #url = null;

  /// `onTime(seconds)` is called for every picture while it plays, and when it is moved.
  constructor(onTime) {
    this.onTime = onTime;
    const audio = this.#audio;
    $('play').addEventListener('click', () => (audio.paused ? this.play() : audio.pause()));
    $('speed').addEventListener('change', ({ target }) => (audio.playbackRate = target.value));
    this.#position.addEventListener('input', ({ target }) => (audio.currentTime = target.value));
    for (const event of ['play', 'pause', 'ended']) {
      audio.addEventListener(event, () => this.#showState());
    }
    audio.addEventListener('durationchange', () => this.#showLength());
    audio.addEventListener('seeked', () => this.#showTime());
  }

  /// Whether the browser can play the file is known when the promise is fulfilled.
  load(file) {
    this.unload();
    this.#url = URL.createObjectURL(file);
    const audio = this.#audio;
    return new Promise((resolve) => {
      audio.onloadedmetadata = async () => {
        await this.#findLength();
        $('player').hidden = false;
        resolve(true);
      };
      audio.onerror = () => resolve(false);
      audio.src = this.#url;
    });
  }

  unload() {
    $('player').hidden = true;
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = null;
  }

  get duration() {
    return Number.isFinite(this.#audio.duration) ? this.#audio.duration : 0;
  }

  play(from) {
    if (from !== undefined) this.#audio.currentTime = from;
    // Refused when another load comes between: nothing to tell.
    return this.#audio.play().catch(() => {});
  }

  // What a browser has recorded does not say how long it is; it is known once its end was sought.
  async #findLength() {
    const audio = this.#audio;
    if (Number.isFinite(audio.duration)) return;
    await new Promise((resolve) => {
      audio.addEventListener('durationchange', resolve, { once: true });
      audio.addEventListener('error', resolve, { once: true });
      audio.currentTime = 1e9;
    });
    audio.currentTime = 0;
  }

  #showState() {
    const isPlaying = !this.#audio.paused && !this.#audio.ended;
    $('player').classList.toggle('playing', isPlaying);
    $('play').setAttribute('aria-label', isPlaying ? 'Pause' : 'Play');
    if (isPlaying) this.#follow();
  }

  #follow() {
    if (this.#audio.paused) return;
    this.#showTime();
    requestAnimationFrame(() => this.#follow());
  }

  #showLength() {
    this.#position.max = this.duration;
    $('length').textContent = clock(this.duration);
    this.#showTime();
  }

  #showTime() {
    const seconds = this.#audio.currentTime;
    const text = clock(seconds);
    if ($('now').textContent !== text) {
      $('now').textContent = text;
      this.#position.setAttribute('aria-valuetext', `${text} of ${clock(this.duration)}`);
    }
    this.#position.value = seconds;
    this.onTime(seconds);
  }
}
