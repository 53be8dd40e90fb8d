// Why there are no credentials, in words that can be shown: never a key, and never what a source answered in
// full.

import { redactKeys } from '../../../wire/redact-keys.js'

const REASON_CHARS_MAX = 200

export interface CredentialErrorOptions {
  /** Asking again changes nothing until somebody corrects the configuration. Default false. */
  readonly isFinal?: boolean
  readonly cause?: unknown
}

export class CredentialError extends Error {
  readonly isFinal: boolean

  constructor(message: string, options: CredentialErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'CredentialError'
    this.isFinal = options.isFinal ?? false
  }
}

/** The first line of what a library said, without anything that is or looks like a secret. */
export function reasonOf(error: unknown, secrets: readonly string[] = []): string {
  const said = error instanceof Error ? error.message : String(error)
  const line = said.split('\n', 1)[0]?.trim() ?? ''
  const known = secrets.filter((secret) => secret !== '')
  const without = known.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line)
  return redactKeys(without).slice(0, REASON_CHARS_MAX) || 'no reason given'
}

/** The HTTP status a library's error carries, wherever it keeps it. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null
  const { status, statusCode, response, $metadata } = error as Readonly<Record<string, unknown>>
  const places = [status, statusCode, fieldOf(response, 'status'), fieldOf($metadata, 'httpStatusCode')]
  const found = places.find((place) => typeof place === 'number' && place >= 100)
  return typeof found === 'number' ? found : null
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** The source understood us and said no; a 408 or 429 is only a bad moment. */
export function isRefusal(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 408 && status !== 429
}
