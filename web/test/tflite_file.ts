// Writes the least of a .tflite file: metadata and names of signatures.

/** Bytes that grow from the front to the back; offsets point forward, as the format wants it. */
class Builder {
  readonly bytes: number[] = [];
  private readonly later: (() => void)[] = [];

  uint(value: number, size = 4): number {
    const at = this.bytes.length;
    for (let i = 0; i < size; ++i) this.bytes.push(Math.floor(value / 2 ** (8 * i)) % 256);
    return at;
  }

  /** A place for an offset to what `write` writes later. */
  offset(write: () => number): void {
    const at = this.uint(0);
    this.later.push(() => {
      const target = write() - at;
      for (let i = 0; i < 4; ++i) this.bytes[at + i] = Math.floor(target / 2 ** (8 * i)) % 256;
    });
  }

  /** Writes all that was put off; it may put off more. */
  finish(): void {
    for (let write = this.later.shift(); write; write = this.later.shift()) write();
  }

  /** A table with a field of each number; each writes four or eight bytes in place. */
  table(fields: Record<number, { size: number; write: () => void }>): number {
    const numbers = Object.keys(fields).map(Number);
    const count = Math.max(-1, ...numbers) + 1;
    const vtable = this.uint(4 + 2 * count, 2);
    const size = numbers.reduce((sum, number) => sum + fields[number]!.size, 4);
    this.uint(size, 2);
    let place = 4;
    for (let number = 0; number < count; ++number) {
      const field = fields[number];
      this.uint(field ? place : 0, 2);
      place += field?.size ?? 0;
    }
    const table = this.uint(this.bytes.length - vtable);
    for (const number of numbers) fields[number]!.write();
    return table;
  }

  vector(bytes: Uint8Array): number {
    const at = this.uint(bytes.length);
    this.bytes.push(...bytes);
    return at;
  }

  tables(writers: (() => number)[]): number {
    const at = this.uint(writers.length);
    for (const write of writers) this.offset(write);
    return at;
  }
}

/** A file with the metadata and one signature for each key; buffers inside or after the flatbuffer. */
export function tfliteFile(
  metadata: Record<string, string>,
  signatures: string[],
  { areOutside = false } = {},
): Uint8Array<ArrayBuffer> {
  const builder = new Builder();
  const text = (value: string) => new TextEncoder().encode(value);
  const entries = Object.entries(metadata);
  const reference = (write: () => number) => ({ size: 4, write: () => builder.offset(write) });
  const places: number[] = []; // of the offsets of buffers outside
  builder.offset(() =>
    builder.table({
      4: reference(() =>
        builder.tables(
          entries.map(([, value]) => () =>
            areOutside
              ? builder.table({
                  1: { size: 8, write: () => places.push(builder.uint(0, 8)) },
                  2: { size: 8, write: () => builder.uint(text(value).length, 8) },
                })
              : builder.table({ 0: reference(() => builder.vector(text(value))) }),
          ),
        ),
      ),
      6: reference(() =>
        builder.tables(
          entries.map(([name], i) => () =>
            builder.table({
              0: reference(() => builder.vector(text(name))),
              1: { size: 4, write: () => builder.uint(i) },
            }),
          ),
        ),
      ),
      7: reference(() =>
        builder.tables(
          signatures.map((key) => () => builder.table({ 2: reference(() => builder.vector(text(key))) })),
        ),
      ),
    }),
  );
  builder.bytes.push(...text('TFL3'));
  builder.finish();
  for (const [i, place] of places.entries()) {
    const begin = builder.bytes.length;
    for (let k = 0; k < 8; ++k) builder.bytes[place + k] = Math.floor(begin / 2 ** (8 * k)) % 256;
    builder.bytes.push(...text(entries[i]![1]));
  }
  return Uint8Array.from(builder.bytes);
}
