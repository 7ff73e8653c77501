// The models that the page offers, and the one that is loaded.
import { Whisper, type LoadProgress } from 'whisper-s4y';

/** A line of models/models.json. */
export interface ModelEntry {
  file: string;
  name: string;
  bytes: number;
  /** SHA-256 of the file; lists from before have none. */
  sha256?: string;
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
const LIST = `${FOLDER}models.json`;

function isEntry(value: unknown): value is ModelEntry {
  const { file, name, bytes, languages } = (value ?? {}) as Partial<ModelEntry>;
  return [file, name].every((one) => typeof one === 'string') && typeof bytes === 'number' && Array.isArray(languages);
}

function isList(value: unknown): value is ModelList {
  const { models, vad } = (value ?? {}) as Partial<ModelList>;
  return Array.isArray(models) && models.every(isEntry) && typeof vad === 'string';
}

/** What the page offers. Throws Error with a sentence. */
export async function listModels(): Promise<ModelList> {
  const answer = await fetch(LIST).catch((error: unknown) => {
    throw new Error('The list of models could not be fetched: is there a network?', { cause: error });
  });
  if (!answer.ok) throw new Error(`There are no models here: the server answers ${answer.status}.`);
  const list: unknown = await answer.json().catch((error: unknown) => {
    throw new Error(`The list of models is damaged: ${LIST} of this server is no JSON.`, { cause: error });
  });
  if (!isList(list)) throw new Error(`The list of models is damaged: ${LIST} of this server is none.`);
  if (list.models.length === 0) throw new Error(`There are no models here: ${LIST} of this server names none.`);
  return list;
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
  async get(
    entry: ModelEntry,
    onProgress: (progress: LoadProgress) => void,
    signal: AbortSignal,
  ): Promise<Whisper> {
    if (this.whisper && this.loaded === entry) return this.whisper;
    this.close();
    const vad = this.vad ? { vad: FOLDER + this.vad } : {};
    // By it a model that was kept is told from a newer one; only such pages can compute it.
    const sha256 = entry.sha256 && isSecureContext ? { sha256: entry.sha256 } : {};
    this.whisper = await Whisper.load(this.urlOf(entry), { onProgress, signal, ...vad, ...sha256 });
    this.loaded = entry;
    return this.whisper;
  }
}
