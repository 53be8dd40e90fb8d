// How an attempt failed: what the retry, the ladder and the caller need to know of it.

import type { Deployment, Wire } from '../../core/release/release.js'
import { secretsOf } from '../../core/release/secrets-of.js'
import { parseJson } from '../../wire/fields.js'
import type { ProviderError } from '../../wire/format.js'
import { providerFormatOf } from '../../wire/formats.js'
import { inBandEnd } from '../../wire/in-band-error.js'
import { readErrorObject } from '../../wire/read-error.js'
import { redactKeys } from '../../wire/redact-keys.js'
import { awsErrorType, meaningOf, retryInfoMs } from '../../wire/refusal-signals.js'
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
  /** In the provider's words, without secrets. */
  readonly error: ProviderError | null
  /** The error answer as it came, but for secrets, for callers who speak its format. */
  readonly upstream: {
    readonly status: number
    readonly body: Uint8Array
    readonly contentType: string
  } | null
}

export function failureOf(
  ask: Asked,
  known: { end: string; status: number; detail?: string; error?: ProviderError | null },
): AttemptFailure {
  const { deployment } = ask.held
  const { end, status, detail = null, error = null } = known
  return {
    end,
    status,
    detail,
    deployment,
    retryAfterMs: null,
    shouldRetry: null,
    error,
    upstream: null,
  }
}

export interface RefusedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly renewed: boolean
}

export function httpFailure(step: Step, ask: Asked, raw: RefusedAnswer): AttemptFailure {
  const { status, headers, renewed } = raw
  const body = Buffer.from(raw.body).toString('utf8')
  const error = errorIn(ask, raw, body)
  return {
    end: renewed ? 'stale_credentials' : endOfAnswer({ status, headers, body }, error),
    status,
    detail: null,
    deployment: ask.held.deployment,
    retryAfterMs: retryAfterMs(headers, step.engine.system.nowMs()) ?? retryInfoMs(body),
    shouldRetry: shouldRetry(headers),
    error: error === null ? null : withoutSecrets(step, ask, error),
    upstream:
      status === 200 || ask.wire !== step.call.wire
        ? null
        : handedOn(raw, redactKeys(body, secretsAt(step, ask))),
  }
}

/** What came with 200 and is no answer may still be an error: some servers say theirs so. */
function errorIn(ask: Asked, { status, headers }: RefusedAnswer, body: string): ProviderError | null {
  if (status === 200) return readErrorObject(parseJson(body))
  const error = providerFormatOf(ask.wire).readError(status, body)
  return error.type === null ? { ...error, type: awsErrorType(headers) } : error
}

function endOfAnswer(
  answer: { status: number; headers: Readonly<Record<string, string>>; body: string },
  error: ProviderError | null,
): string {
  if (answer.status !== 200) return meaningOf(answer, error) ?? `http_${answer.status}`
  return (error === null ? null : inBandEnd(error)) ?? 'invalid_body'
}

/** The provider's words, without what it quotes of our credentials. */
export function withoutSecrets(step: Step, ask: Asked, error: ProviderError): ProviderError {
  const secrets = secretsAt(step, ask)
  const { type, code, message } = error
  const clean = (word: string | null) => (word === null ? null : redactKeys(word, secrets))
  return { type: clean(type), code: clean(code), message: redactKeys(message, secrets) }
}

function handedOn({ status, headers, body }: RefusedAnswer, clean: string): AttemptFailure['upstream'] {
  const isClean = clean === Buffer.from(body).toString('utf8')
  const contentType = headers['content-type'] ?? 'application/json'
  return { status, body: isClean ? body : Buffer.from(clean), contentType }
}

function secretsAt(step: Step, { held }: Asked): readonly string[] {
  const config = step.task.release.providers.get(held.deployment.provider)
  return config === undefined ? [] : secretsOf(config)
}
