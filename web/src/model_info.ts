// What a Whisper model is, apart from its weights: dimensions, special tokens, vocabulary. Kept in
// the metadata of the file (src/config/model_json.cc, vocabulary_text.cc).
import { WhisperError } from './errors.js';
import { TIMESTAMP_TOKENS } from './front_end.js';
import { describeTflite } from './flatbuffer.js';

/** Dimensions and special tokens; the names are Hugging Face's. -1: the model has no such token. */
export interface ModelConfig {
  vocab_size: number;
  num_mel_bins: number;
  d_model: number;
  decoder_layers: number;
  decoder_attention_heads: number;
  max_source_positions: number;
  max_target_positions: number;

  is_multilingual: boolean;
  eos_token_id: number;
  decoder_start_token_id: number;
  translate_token_id: number;
  transcribe_token_id: number;
  sot_lm_token_id: number;
  prev_sot_token_id: number;
  no_speech_token_id: number;
  no_timestamps_token_id: number;
  /** Token of each language code, in the order of the ids. */
  languages: Map<string, number>;
}

/** Bytes of each token, and which tokens are no text. */
export interface Vocabulary {
  tokens: Uint8Array[];
  special: boolean[];
}

export interface ModelInfo {
  name: string;
  /** xxh3-128 of the file with its own place for it left out; empty when the file has none. */
  hash: string;
  config: ModelConfig;
  vocabulary: Vocabulary;
  signatures: string[];
}

const FORMAT_VERSION = 1;
const MODEL_METADATA = 'whisper_s4y.model';
const VOCABULARY_METADATA = 'whisper_s4y.vocabulary';
/** Those that decoding runs. */
export const NEEDED_SIGNATURES = ['features', 'encode', 'cross', 'prefill', 'step'];

const NUMBERS = [
  'vocab_size',
  'num_mel_bins',
  'd_model',
  'decoder_layers',
  'decoder_attention_heads',
  'max_source_positions',
  'max_target_positions',
  'eos_token_id',
  'decoder_start_token_id',
  'translate_token_id',
  'transcribe_token_id',
  'sot_lm_token_id',
  'prev_sot_token_id',
  'no_speech_token_id',
  'no_timestamps_token_id',
] as const;

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The configuration in a file's metadata. */
function configOf(json: Json, source: string): ModelConfig {
  const wrong = (field: string, expected: string): never => {
    throw new WhisperError('bad_file', `${source}: the field ${field} is not ${expected}.`);
  };
  const config: Partial<ModelConfig> = {};
  for (const name of NUMBERS) {
    const value = json[name];
    config[name] = Number.isInteger(value) ? (value as number) : wrong(name, 'a whole number');
  }
  const multilingual = json.is_multilingual;
  config.is_multilingual =
    typeof multilingual === 'boolean' ? multilingual : wrong('is_multilingual', 'true or false');
  const languages = json.lang_to_id;
  if (!isObject(languages)) return wrong('lang_to_id', 'an object');
  const pairs = Object.entries(languages).map(([code, id]): [string, number] => [
    code,
    Number.isInteger(id) ? (id as number) : wrong('lang_to_id', 'an object of whole numbers'),
  ]);
  config.languages = new Map(pairs.sort(([, left], [, right]) => left - right));
  return config as ModelConfig;
}

const LINE =
  /^((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|=) (special|-?\d+)$/;

/** A line for each token, "base64 rank"; special tokens have the rank "special". */
export function vocabularyOf(text: string, source: string): Vocabulary {
  const lines = text.split('\n');
  if (lines.pop() !== '') {
    throw new WhisperError('bad_file', `${source}: the vocabulary is cut off in line ${lines.length + 1}.`);
  }
  const vocabulary: Vocabulary = { tokens: [], special: [] };
  for (const line of lines) {
    const found = LINE.exec(line);
    if (!found) {
      throw new WhisperError(
        'bad_file',
        `${source}: line ${vocabulary.tokens.length + 1} of the vocabulary is not "base64 rank".`,
      );
    }
    const [, base64, rank] = found as unknown as [string, string, string];
    // A lone "=" stands for no bytes.
    const bytes = base64 === '=' ? '' : atob(base64);
    vocabulary.tokens.push(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    vocabulary.special.push(rank === 'special');
  }
  return vocabulary;
}

/** The id of the token `<|0.00|>`; those of later times follow. */
export function timestampBegin(config: ModelConfig): number {
  return config.no_timestamps_token_id + 1;
}

/** Reads what a bundle says of itself. Throws WhisperError when the page cannot run it. */
export function readModelInfo(file: Uint8Array, source: string): ModelInfo {
  const { metadata, signatures } = describeTflite(file, source);
  const model = metadata.get(MODEL_METADATA);
  const vocabularyText = metadata.get(VOCABULARY_METADATA);
  if (model === undefined || vocabularyText === undefined) {
    throw new WhisperError(
      'bad_file',
      `${source} has no metadata "${MODEL_METADATA}": it was not made by whisper-s4y convert.`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(model));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (!isObject(json)) {
    throw new WhisperError('bad_file', `${source}: the metadata "${MODEL_METADATA}" is no JSON object.`);
  }
  if (json.format_version !== FORMAT_VERSION) {
    throw new WhisperError(
      'unsupported',
      `${source} has format version ${json.format_version}, this package reads version ` +
        `${FORMAT_VERSION}: convert the checkpoint again.`,
    );
  }
  const missing = NEEDED_SIGNATURES.filter((key) => !signatures.includes(key));
  if (missing.length > 0) {
    throw new WhisperError(
      'unsupported',
      `${source} has no signature ${missing.join(', ')}: convert the checkpoint with --for web.`,
    );
  }
  const config = configOf(json, source);
  const vocabulary = vocabularyOf(new TextDecoder().decode(vocabularyText), source);
  const largest = timestampBegin(config) + TIMESTAMP_TOKENS;
  if (vocabulary.tokens.length > config.vocab_size || largest > config.vocab_size) {
    throw new WhisperError('bad_file', `${source}: its tokens do not fit its vocab_size ${config.vocab_size}.`);
  }
  const hash = typeof json.model_hash === 'string' ? json.model_hash : '';
  const name = typeof json.name === 'string' ? json.name : '';
  return { name, hash, config, vocabulary, signatures };
}
