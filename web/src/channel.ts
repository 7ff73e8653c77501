/** What comes one after the other, for one that waits for it with `for await`. */
export class Channel<T> implements AsyncIterableIterator<T> {
  private readonly items: T[] = [];
  private waiting: (() => void) | null = null;
  private isOver = false;
  private error: unknown = null;

  /** `onLeave`: the reader went before the end. */
  constructor(private readonly onLeave: () => void) {}

  push(item: T): void {
    this.items.push(item);
    this.wake();
  }

  end(error: unknown = null): void {
    this.isOver = true;
    this.error = error;
    this.wake();
  }

  private wake(): void {
    this.waiting?.();
    this.waiting = null;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    while (this.items.length === 0 && !this.isOver) {
      await new Promise<void>((resolve) => (this.waiting = resolve));
    }
    if (this.items.length > 0) return { done: false, value: this.items.shift()! };
    if (this.error !== null) throw this.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (!this.isOver) this.onLeave();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
