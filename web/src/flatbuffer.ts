// The metadata of a .tflite file and the names of its signatures: the parts of TensorFlow Lite's
// schema (schema.fbs) that LiteRT.js gives no access to.
import { WhisperError } from './errors.js';

/** A table of a flatbuffer: a place from which a list of field offsets is found. */
class Table {
  private readonly fields: number;

  constructor(
    private readonly view: DataView,
    private readonly place: number,
  ) {
    this.fields = place - view.getInt32(place, true);
  }

  /** Where field number `index` lies; 0 when the table has no such field. */
  private field(index: number): number {
    const at = 4 + 2 * index;
    if (at >= this.view.getUint16(this.fields, true)) return 0;
    const offset = this.view.getUint16(this.fields + at, true);
    return offset === 0 ? 0 : this.place + offset;
  }

  uint32(index: number): number {
    const at = this.field(index);
    return at === 0 ? 0 : this.view.getUint32(at, true);
  }

  uint64(index: number): number {
    const at = this.field(index);
    return at === 0 ? 0 : Number(this.view.getBigUint64(at, true));
  }

  /** Where a vector's elements begin, and how many they are. */
  private vector(index: number): { begin: number; length: number } {
    const at = this.field(index);
    if (at === 0) return { begin: 0, length: 0 };
    const begin = at + this.view.getUint32(at, true);
    return { begin: begin + 4, length: this.view.getUint32(begin, true) };
  }

  bytes(index: number): Uint8Array {
    const { begin, length } = this.vector(index);
    return slice(this.view, begin, length);
  }

  string(index: number): string {
    return new TextDecoder().decode(this.bytes(index));
  }

  tables(index: number): Table[] {
    const { begin, length } = this.vector(index);
    if (length > this.view.byteLength / 4) throw new RangeError('a vector is too long');
    return Array.from({ length }, (_, i) => {
      const at = begin + 4 * i;
      return new Table(this.view, at + this.view.getUint32(at, true));
    });
  }
}

function slice(view: DataView, begin: number, length: number): Uint8Array {
  if (begin + length > view.byteLength) throw new RangeError('it goes on after the end of the file');
  return new Uint8Array(view.buffer, view.byteOffset + begin, length);
}

/** A .tflite file as far as it describes itself. */
export interface TfliteDescription {
  /** Metadata by name; views into the file. */
  metadata: Map<string, Uint8Array>;
  /** Keys of the signatures, in the order of the file. */
  signatures: string[];
}

// Field numbers of schema.fbs.
const MODEL = { buffers: 4, metadata: 6, signatureDefs: 7 };
const BUFFER = { data: 0, offset: 1, size: 2 };
const METADATA = { name: 0, buffer: 1 };
const SIGNATURE_KEY = 2;

/** Throws WhisperError when buffers that lie after the flatbuffer reach further than the file. */
function checkLength(length: number, buffers: readonly Table[], source: string): void {
  const end = buffers.reduce((most, one) => Math.max(most, one.uint64(BUFFER.offset) + one.uint64(BUFFER.size)), 0);
  if (end <= length) return;
  throw new WhisperError(
    'bad_file',
    `${source} is damaged, or not all of it is there: it has ${length} bytes of at least ${end}.`,
  );
}

/** Reads what a .tflite file says of itself. Throws WhisperError when it is none. */
export function describeTflite(file: Uint8Array, source: string): TfliteDescription {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.byteLength < 8 || new TextDecoder().decode(file.subarray(4, 8)) !== 'TFL3') {
    throw new WhisperError('bad_file', `${source} is no .tflite file.`);
  }
  try {
    const model = new Table(view, view.getUint32(0, true));
    const buffers = model.tables(MODEL.buffers);
    checkLength(file.byteLength, buffers, source);
    const bytesOf = (index: number): Uint8Array => {
      const buffer = buffers[index];
      if (buffer === undefined) throw new RangeError(`there is no buffer ${index}`);
      // Large buffers lie after the flatbuffer.
      const size = buffer.uint64(BUFFER.size);
      return size > 0 ? slice(view, buffer.uint64(BUFFER.offset), size) : buffer.bytes(BUFFER.data);
    };
    return {
      metadata: new Map(
        model
          .tables(MODEL.metadata)
          .map((entry) => [entry.string(METADATA.name), bytesOf(entry.uint32(METADATA.buffer))]),
      ),
      signatures: model.tables(MODEL.signatureDefs).map((one) => one.string(SIGNATURE_KEY)),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WhisperError(
      'bad_file',
      `${source} is damaged, or not all of it is there: it has ${file.byteLength} bytes and leads beyond them.`,
    );
  }
}
