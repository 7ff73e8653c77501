// The models that the page offers, and the one that is loaded.
import { Whisper, type LoadProgress } from 'whisper-s4y';

/** A line of models/models.json. */
export interface ModelEntry {
  file: string;
  name: string;
  bytes: number;
  /** English only when empty. */
  languages: string[];
}

/** What models/models.json is. */
export interface ModelList {
  models: ModelEntry[];
  /** File of the voice activity detector; empty: there is none. */
  vad: string;
}

const FOLDER = 'models/';

export async function listModels(): Promise<ModelList> {
  const answer = await fetch(`${FOLDER}models.json`);
  if (!answer.ok) throw new Error(`There are no models here: the server answers ${answer.status}.`);
  return (await answer.json()) as ModelList;
}

export class Models {
  private whisper: Whisper | null = null;
  private loaded: ModelEntry | null = null;

  constructor(private readonly vad: string) {}

  urlOf(entry: ModelEntry): string {
    return FOLDER + entry.file;
  }

  isHere(entry: ModelEntry): Promise<boolean> {
    return Whisper.isDownloaded(this.urlOf(entry));
  }

  async forget(entry: ModelEntry): Promise<void> {
    if (this.loaded === entry) this.close();
    await Whisper.forget(this.urlOf(entry));
  }

  close(): void {
    this.whisper?.close();
    this.whisper = null;
    this.loaded = null;
  }

  /** The model, loaded when it is not; another one is closed, for two need twice the memory. */
  async get(entry: ModelEntry, onProgress: (progress: LoadProgress) => void): Promise<Whisper> {
    if (this.whisper && this.loaded === entry) return this.whisper;
    this.close();
    const vad = this.vad ? { vad: FOLDER + this.vad } : {};
    this.whisper = await Whisper.load(this.urlOf(entry), { onProgress, ...vad });
    this.loaded = entry;
    return this.whisper;
  }
}
