// The simulator's tokenizer: plain, linear, the same for every model and format, so that whoever counts gets
// the same.

const BYTES_PER_TOKEN = 4
/** What an image costs, whatever its size. */
export const TOKENS_PER_IMAGE = 765

/**
 * Splits text into tokens; joined they are the text again. A token carries the space before it, as in real
 * ones.
 */
export function tokenize(text: string): string[] {
  return text.match(/\s?[\p{L}\p{N}']{1,12}|\s?[^\s\p{L}\p{N}']|\s/gu) ?? []
}

/** Tokens of what the model reads: one per four bytes of UTF-8, at least one. */
export function countInputTokens(size: { readonly textBytes: number; readonly images: number }): number {
  return Math.max(1, Math.ceil(size.textBytes / BYTES_PER_TOKEN)) + size.images * TOKENS_PER_IMAGE
}

/** Length of `text` in UTF-8, without encoding it. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}
