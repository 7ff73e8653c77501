// How repetitive a text is.

/**
 * Bytes of `text` / bytes of its zlib form (openai/whisper utils.py); 0 for an empty text. Above 2.4
 * a text is taken for a repetition loop.
 */
export async function compressionRatio(text: string): Promise<number> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) return 0;
  const zlib = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return bytes.length / (await new Response(zlib).arrayBuffer()).byteLength;
}
