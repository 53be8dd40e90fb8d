// The limits a provider tells in the headers of its answers: how much may be sent in its window, how much is
// left.

type Headers = Readonly<Record<string, string>>

export interface ToldLimit {
  readonly limit: number | null
  readonly left: number | null
}

export interface ToldLimits {
  readonly requests: ToldLimit
  readonly tokens: ToldLimit
}

// OpenAI (and Azure, and most that imitate it), then Anthropic; where it tells input and output apart, input.
const REQUESTS = [
  ['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests'],
  ['anthropic-ratelimit-requests-limit', 'anthropic-ratelimit-requests-remaining'],
] as const
const TOKENS = [
  ['x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens'],
  ['anthropic-ratelimit-tokens-limit', 'anthropic-ratelimit-tokens-remaining'],
  ['anthropic-ratelimit-input-tokens-limit', 'anthropic-ratelimit-input-tokens-remaining'],
] as const

/** null: the headers say nothing of limits. */
export function toldLimits(headers: Headers): ToldLimits | null {
  const requests = firstTold(headers, REQUESTS)
  const tokens = firstTold(headers, TOKENS)
  if (requests === null && tokens === null) return null
  return { requests: requests ?? UNTOLD, tokens: tokens ?? UNTOLD }
}

const UNTOLD: ToldLimit = { limit: null, left: null }

function firstTold(headers: Headers, names: readonly (readonly [string, string])[]): ToldLimit | null {
  for (const [limitName, leftName] of names) {
    const told = { limit: count(headers[limitName]), left: count(headers[leftName]) }
    if (told.limit !== null || told.left !== null) return told
  }
  return null
}

function count(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : null
}
