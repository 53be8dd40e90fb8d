// Credentials by their look: the prefixes their issuers gave them so that they can be found. Every
// repetition has a fixed length or is consumed whole, so the search is linear whatever a model writes.

const FIXED_PATTERNS: readonly RegExp[] = [
  /(?<![A-Za-z0-9])A(?:KIA|SIA)[0-9A-Z]{16}(?![0-9A-Z])/, // AWS access key id
  /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36}/, // GitHub
  /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{22}/,
  /(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20}/, // GitLab
  /(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10}/, // Slack
  /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}/, // Google
  /(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{16}/, // Stripe
  /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{34}/, // Hugging Face
  /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}/,
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/,
]

/** OpenAI, Anthropic and those who copied them. Each match is taken whole, so no character is read twice. */
const MODEL_KEYS = /(?<![A-Za-z0-9])sk-[\w-]{20,}/g
/** Words long enough to be a signed token. */
const LONG_WORDS = /[\w.-]{32,}/g

/**
 * Does the text contain something that looks like an API key, a private key or a signed token? In JSON also
 * where an escape hides it.
 */
export function containsSecret(text: string): boolean {
  return hasSecret(text) || (text.includes('\\') && stringsIn(text).some(hasSecret))
}

function hasSecret(text: string): boolean {
  return (
    FIXED_PATTERNS.some((pattern) => pattern.test(text)) ||
    (text.match(MODEL_KEYS) ?? []).some(looksRandom) ||
    (text.match(LONG_WORDS) ?? []).some(hasSignedToken)
  )
}

/** Random keys have capitals and digits; `sk-like-this-but-longer` has not. */
function looksRandom(key: string): boolean {
  return /[0-9]/.test(key) && /[A-Z]/.test(key)
}

/** A JWT: two base64url segments of JSON objects (`eyJ…`), and a signature. */
function hasSignedToken(word: string): boolean {
  const segments = word.split('.')
  return segments.some((header, index) => {
    const claims = segments[index + 1]
    const signature = segments[index + 2]
    return (
      isJsonSegment(header) && claims !== undefined && isJsonSegment(claims) && (signature?.length ?? 0) >= 10
    )
  })
}

function isJsonSegment(segment: string): boolean {
  return segment.length >= 10 && segment.startsWith('eyJ')
}

/** Every string value of a JSON text; none when it is no JSON. */
function stringsIn(text: string): readonly string[] {
  const found: string[] = []
  try {
    JSON.parse(text, (_, value: unknown) => {
      if (typeof value === 'string') found.push(value)
      return null
    })
  } catch {
    return found
  }
  return found
}
