// The last net before a log line: whatever is named like a secret or looks like one does not get out. Callers
// must not log secrets or prompts in the first place.

const SECRET_NAME =
  /^(?:.*(?:api[-_]?key|access[-_]?key|secret|passw|credential|authorization|cookie).*|.*token|x-api-key|keys?)$/i
/** Prefixes providers and platforms give their keys; each pattern is linear. */
const SECRET_TEXT =
  /\b(?:sk-[\w-]{8,}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{16,}|xox[abprs]-[\w-]{8,}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*)/g
const BEARER = /\b(Bearer|Basic)\s+[\w+/=.~-]{6,}/gi
const URL_PASSWORD = /(\/\/)[^/\s@]{1,256}@/g

const REDACTED = '[redacted]'
const DEPTH_MAX = 5
const TEXT_MAX = 2_000
const ITEMS_MAX = 50

export type Fields = Readonly<Record<string, unknown>>

export function redactFields(fields: Fields): Record<string, unknown> {
  return redactObject(fields, 0)
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields).slice(0, ITEMS_MAX)) {
    // Numbers and flags are never secrets, and `outputTokens` is no token.
    const isSecret =
      value !== null && (typeof value === 'string' || typeof value === 'object') && SECRET_NAME.test(name)
    clean[name] = isSecret ? REDACTED : redactValue(value, depth)
  }
  return clean
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return '[deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => redactValue(item, depth + 1))
  return redactObject(value, depth + 1)
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const why = cause === undefined ? {} : { cause: redactValue(cause, depth + 1) }
  return { type: name, message: redactText(message), ...code, stack: redactText(stack ?? ''), ...why }
}

export function redactText(text: string): string {
  const short = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
  return short
    .replace(SECRET_TEXT, REDACTED)
    .replace(BEARER, `$1 ${REDACTED}`)
    .replace(URL_PASSWORD, `$1${REDACTED}@`)
}
