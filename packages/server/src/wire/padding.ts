// OpenAI pads its chunks with random letters, so that their sizes do not tell the words: at the end stands
// `"obfuscation":"aZ3"`. Frames that differ in nothing but this and their words have the same shape.

const MARK = '"obfuscation":"'

/** What is before the padding and behind it; null when there is none. */
export function aroundPadding(text: string): { readonly head: string; readonly tail: string } | null {
  const at = text.lastIndexOf(MARK)
  const start = at + MARK.length
  const end = text.indexOf('"', start)
  return at === -1 || end === -1 ? null : { head: text.slice(0, start), tail: text.slice(end) }
}
