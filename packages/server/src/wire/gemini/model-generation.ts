// What a model's name tells of the words it understands. Names that tell nothing (aliases, tuned models,
// endpoints) are taken as current.

/** Gemini 1 and 2: thinking is set by a budget only, and no signature is demanded. */
export function isBeforeGemini3(model: string): boolean {
  return /(?:^|\/)gemini-[12](?:[.-]|$)/.test(model)
}
