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

/** Makes a WhisperError of whatever was thrown. */
export function asWhisperError(error: unknown): WhisperError {
  if (error instanceof WhisperError) return error;
  if (error instanceof DOMException && error.name === 'AbortError') {
    return new WhisperError('cancelled', 'It was cancelled.');
  }
  return new WhisperError('internal', error instanceof Error ? error.message : String(error));
}
