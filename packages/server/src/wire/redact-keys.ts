// Takes out of a provider's message what looks like a key. Providers quote the key they did not like.

const KEY_SHAPES = [
  /\bBearer\s+[^\s"',]{8,}/gi,
  /\b(?:sk|pk|rk|gsk|xai|hf|pplx)[-_][A-Za-z0-9*._-]{6,}/gi,
  /\bA(?:KIA|SIA)[A-Z0-9]{12,}/g,
  /\bAIza[A-Za-z0-9_-]{16,}/g,
  /\bya29\.[A-Za-z0-9._-]{8,}/g,
  // AWS quotes the whole request it would have signed, the token of the session with it.
  /x-amz-security-token:\s*[^\s"',]+/gi,
  /\b(?:IQoJ|FwoG|AQoD)[A-Za-z0-9/+=]{16,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g,
]
// Anything long without a space that mixes letters and digits, whatever its prefix.
const LONG_TOKEN = /[A-Za-z0-9_*-]{32,}/g

/** Shorter ones would take words out of every message. */
const SECRET_CHARS_MIN = 8

/** `secrets`: values that are known to be some, whatever they look like. */
export function redactKeys(text: string, secrets: readonly string[] = []): string {
  const left = secrets
    .filter((secret) => secret.length >= SECRET_CHARS_MIN)
    .reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
  return redactShapes(left)
}

function redactShapes(text: string): string {
  const known = KEY_SHAPES.reduce((left, shape) => left.replace(shape, '[redacted]'), text)
  return known.replace(LONG_TOKEN, (word) => (/\d/.test(word) && /[A-Za-z]/.test(word) ? '[redacted]' : word))
}
