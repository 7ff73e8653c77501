const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/**
 * Lets the events that wait happen: a worker that computes hears of no message before. Quicker than
 * setTimeout(), which waits for some milliseconds.
 */
export function events(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
