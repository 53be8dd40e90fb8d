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

/** Words long enough to be a key; matched whole, so each character is looked at a bounded number of times. */
const LONG_WORDS = /[\w.-]{23,}/g

/** Does the text contain something that looks like an API key, a private key or a signed token? */
export function containsSecret(text: string): boolean {
  if (FIXED_PATTERNS.some((pattern) => pattern.test(text))) return true
  return (text.match(LONG_WORDS) ?? []).some((word) => isModelKey(word) || hasSignedToken(word))
}

/**
 * `sk-…` of OpenAI, Anthropic and those who copied them. Random, so it has capitals and digits:
 * `sk-like-this` has not.
 */
function isModelKey(word: string): boolean {
  const key = /(?:^|[._])sk-([\w-]{20,})/.exec(word)?.[1]
  return key !== undefined && /[0-9]/.test(key) && /[A-Z]/.test(key)
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
