/** One that waits for an item. */
interface Reader<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: unknown): void;
}

/** What comes one after the other, for one that waits for it with `for await`. */
export class Channel<T> implements AsyncIterableIterator<T> {
  private readonly items: T[] = [];
  private readonly readers: Reader<T>[] = []; // served in the order in which they came
  private isOver = false;
  private error: unknown = null;

  /** `onLeave`: the reader went before the end. */
  constructor(private readonly onLeave: () => void) {}

  push(item: T): void {
    const reader = this.readers.shift();
    if (reader) reader.resolve({ done: false, value: item });
    else this.items.push(item);
  }

  /** What comes after the first end counts no more. */
  end(error: unknown = null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.error = error;
    for (const reader of this.readers.splice(0)) this.tellEnd(reader);
  }

  private tellEnd(reader: Reader<T>): void {
    if (this.error !== null) reader.reject(this.error);
    else reader.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.items.length > 0) resolve({ done: false, value: this.items.shift()! });
      else if (this.isOver) this.tellEnd({ resolve, reject });
      else this.readers.push({ resolve, reject });
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (!this.isOver) this.onLeave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
