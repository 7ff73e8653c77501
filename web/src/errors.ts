/** What went wrong, by kind; the message is a whole sentence. */
export type WhisperErrorCode =
  /** An option is impossible, or excludes another. */
  | 'invalid_argument'
  /** This model or this browser cannot do that. */
  | 'unsupported'
  /** The file is not what it should be, or damaged. */
  | 'bad_file'
  /** The file could not be fetched. */
  | 'network'
  /** The caller has ended it. */
  | 'cancelled'
  /** A fault of the package, or of the runtime under it. */
  | 'internal';

/** The error that everything in this package throws. */
export class WhisperError extends Error {
  override readonly name = 'WhisperError';

  constructor(
    readonly code: WhisperErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** With a full stop, unless it ends with one. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** What a value is, for one that should be another: `'null'`, `'string'`, `'Uint8Array'`. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Throws WhisperError with the code `'invalid_argument'` when something does not hold. */
export function check(holds: boolean, message: string): void {
  if (!holds) throw new WhisperError('invalid_argument', message);
}

/** What was thrown says. */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The error of what its caller has ended. */
export const cancelledError = () => new WhisperError('cancelled', 'It was cancelled.');

/** Makes a WhisperError of whatever was thrown. */
export function asWhisperError(error: unknown): WhisperError {
  if (error instanceof WhisperError) return error;
  if (error instanceof DOMException && error.name === 'AbortError') return cancelledError();
  return new WhisperError('internal', sentence(messageOf(error)));
}
