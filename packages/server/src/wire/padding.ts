// OpenAI and Bedrock pad their frames with letters, so that their sizes do not tell the words: at the end
// stands `"obfuscation":"aZ3"` or `"p":"abc"`. Frames that differ in nothing but this and their words have
// the same shape.

const MARKS = ['"obfuscation":"', ',"p":"']

/** What is before the padding and behind it; null when there is none. */
export function aroundPadding(text: string): { readonly head: string; readonly tail: string } | null {
  for (const mark of MARKS) {
    const at = text.lastIndexOf(mark)
    const start = at + mark.length
    const end = text.indexOf('"', start)
    if (at !== -1 && end !== -1) return { head: text.slice(0, start), tail: text.slice(end) }
  }
  return null
}
