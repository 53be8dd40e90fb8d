// Tokens by disjoint class. Formats disagree about what "input" includes (Anthropic leaves cached tokens out,
// OpenAI counts them in): `wire/usage.ts` normalises once, and from there on no class contains another.

export interface TokenCounts {
  /** Input tokens billed at the full input price: neither read from nor written to a prompt cache. */
  readonly input: number
  readonly cacheRead: number
  readonly cacheWrite: number
  /** Written to the one-hour prompt cache (Anthropic), dearer than the five-minute one. */
  readonly cacheWrite1h: number
  /** Output tokens the caller can see. */
  readonly output: number
  /** Output tokens spent on reasoning the caller cannot see (priced as output unless said otherwise). */
  readonly reasoning: number
  readonly audioInput: number
  readonly audioOutput: number
}

export type TokenClass = keyof TokenCounts

export const TOKEN_CLASSES = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'output',
  'reasoning',
  'audioInput',
  'audioOutput',
] as const satisfies readonly TokenClass[]

export const NO_TOKENS: TokenCounts = {
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  cacheWrite1h: 0,
  output: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
}

/** What the provider said, normalised; `providerTotals` keeps its own sums so that they can be checked. */
export interface ReportedUsage {
  readonly tokens: TokenCounts
  readonly providerTotals: {
    readonly input: number | null
    readonly output: number | null
    readonly total: number | null
  }
}

/** All tokens the model read: the number a `max_input_tokens` limit is about. */
export function inputTotal(tokens: TokenCounts): number {
  return tokens.input + tokens.cacheRead + tokens.cacheWrite + tokens.cacheWrite1h + tokens.audioInput
}

/** All tokens the model generated: the number a `max_output_tokens` limit is about. */
export function outputTotal(tokens: TokenCounts): number {
  return tokens.output + tokens.reasoning + tokens.audioOutput
}
