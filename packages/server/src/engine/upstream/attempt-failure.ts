// How an attempt failed: what the retry, the ladder and the caller need to know of it.

import type { Deployment, Wire } from '../../core/release/release.js'
import type { ProviderError } from '../../wire/format.js'
import { providerFormatOf } from '../../wire/formats.js'
import { meaningOf, retryInfoMs } from '../../wire/refusal-signals.js'
import { retryAfterMs, shouldRetry } from '../../wire/retry-after.js'
import type { Step } from '../step-context.js'

/** What was asked, and in which format. */
interface Asked {
  readonly held: { readonly deployment: Deployment }
  readonly wire: Wire
}

export interface AttemptFailure {
  readonly end: string
  readonly status: number
  /** Why it failed below HTTP, without secrets; for those who run the server. */
  readonly detail: string | null
  readonly deployment: Deployment
  readonly retryAfterMs: number | null
  /** The provider's own `x-should-retry`. */
  readonly shouldRetry: boolean | null
  readonly error: ProviderError | null
  /** The error answer as it came, for callers who speak its format. */
  readonly upstream: {
    readonly status: number
    readonly body: Uint8Array
    readonly contentType: string
  } | null
}

export function failureOf(
  ask: Asked,
  known: { end: string; status: number; detail?: string },
): AttemptFailure {
  const { deployment } = ask.held
  const { end, status, detail = null } = known
  return {
    end,
    status,
    detail,
    deployment,
    retryAfterMs: null,
    shouldRetry: null,
    error: null,
    upstream: null,
  }
}

export function httpFailure(
  step: Step,
  ask: Asked,
  raw: { status: number; headers: Readonly<Record<string, string>>; body: Uint8Array; end: string },
): AttemptFailure {
  const text = Buffer.from(raw.body).toString('utf8')
  const error = raw.status === 200 ? null : providerFormatOf(ask.wire).readError(raw.status, text)
  const isTooLong = raw.status === 400 && error !== null && isContextLength(error)
  const contentType = raw.headers['content-type'] ?? 'application/json'
  return {
    end: isTooLong ? 'context_length' : (meaningOf({ ...raw, body: text }) ?? raw.end),
    status: raw.status,
    detail: null,
    deployment: ask.held.deployment,
    retryAfterMs: retryAfterMs(raw.headers, step.engine.system.nowMs()) ?? retryInfoMs(text),
    shouldRetry: shouldRetry(raw.headers),
    error,
    upstream:
      raw.status === 200 || ask.wire !== step.call.wire
        ? null
        : { status: raw.status, body: raw.body, contentType },
  }
}

// Anthropic has no code for it, and servers that imitate OpenAI often send none.
const TOO_LONG = /prompt is too long|maximum context length|context (?:length|window|size)/i

function isContextLength({ code, message }: ProviderError): boolean {
  return code === 'context_length_exceeded' || TOO_LONG.test(message)
}
