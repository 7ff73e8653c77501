// Records the microphone.

/// Why there is no microphone, as a sentence; empty: there may be one.
export function whyNoMicrophone() {
  if (!window.isSecureContext) {
    return `The microphone is not there for this page: browsers give it only to pages from https or localhost, and this one is from ${location.origin}.`;
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
    return 'This browser cannot record.';
  }
  return '';
}

const REASONS = {
  NotAllowedError: 'The browser does not let this page use the microphone; its settings for this site can.',
  NotFoundError: 'There is no microphone.',
  NotReadableError: 'The microphone cannot be read: another program may be using it.',
};

const ENDINGS = { 'audio/webm': 'webm', 'audio/mp4': 'm4a', 'audio/ogg': 'ogg' };

/// The microphone's stream. Throws Error with a sentence.
export async function openMicrophone() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    throw new Error(REASONS[error.name] ?? 'The microphone cannot be used.', { cause: error });
  }
}

function fileOf(pieces, type) {
  const plain = type.split(';')[0];
  const now = new Date();
  const time = new Date(now - now.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
  const name = `Recording ${time.replace('T', ' ').replaceAll(':', '.')}.${ENDINGS[plain] ?? 'webm'}`;
  return new File(pieces, name, { type: plain });
}

export class Recorder {
  #stream;
  #context;
  #recorder;

  /// Begins; `onLevel(loudness, seconds)` is called for every picture: 0 is silence, 1 is loud.
  /// Throws Error with a sentence.
  async start(onLevel) {
    this.#stream = await openMicrophone();
    this.#recorder = new MediaRecorder(this.#stream);
    const pieces = [];
    this.#recorder.ondataavailable = ({ data }) => pieces.push(data);
    this.finished = new Promise((resolve) => {
      this.#recorder.onstop = () => resolve(fileOf(pieces, this.#recorder.mimeType));
    });
    this.#recorder.start(1000);
    this.#listen(onLevel);
  }

  #listen(onLevel) {
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    this.#context.createMediaStreamSource(this.#stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const begin = performance.now();
    const look = () => {
      if (this.#recorder.state !== 'recording') return;
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
      // From -60 dB to 0 dB.
      const level = Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / 60));
      onLevel(level, (performance.now() - begin) / 1000);
      requestAnimationFrame(look);
    };
    look();
  }

  /// Ends and gives the file.
  async stop() {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
    return this.finished;
  }
}
