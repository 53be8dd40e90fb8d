// Signatures of thoughts, named as Gemini's while they are away. A conversation may have turns of several
// providers in it, and Gemini refuses the whole of it for one signature that it did not make itself.

const MARK = 'gemini:'

/** A signature from an answer, as our types and callers hold it. */
export function markSignature(signature: string): string {
  return MARK + signature
}

/** As Gemini gave it; null: there is none, or it is another provider's. */
export function ownSignature(signature: string | undefined): string | null {
  return signature?.startsWith(MARK) === true ? signature.slice(MARK.length) : null
}
