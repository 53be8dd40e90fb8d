// What an attempt shows of what it used, however it ended: the evidence it is settled by.

import { NO_HEADERS } from '../../core/capacity/demand.js'
import type { ReportedUsage } from '../../core/money/token-counts.js'
import type { AnswerFacts } from '../../wire/format.js'
import type { AttemptEvidence } from '../call-model/settle.js'
import type { WholeAnswer } from './collect-whole.js'
import { type PumpedStream, endOf } from './pump-stream.js'

/** `refusal`: of an answer that was not a stream. */
export function streamEvidence(pumped: PumpedStream, refusal: Refused | null): AttemptEvidence {
  const { end, facts, status, firstByteMs, firstTokenMs, headers } = pumped
  const generated = facts.deltas > 0 || facts.usage !== null || (facts.startUsage ?? null) !== null
  const base = {
    ...evidence({ end: 'ok', status, ran: 'yes', firstByteMs }),
    streamed: true,
    deltas: facts.deltas,
    firstTokenMs,
    headers,
  }
  const reported: ReportedUsage | null = facts.usage
  switch (end.kind) {
    case 'complete':
      return { ...base, reported }
    case 'cut':
      return {
        ...base,
        end: end.by === 'deadline' && !generated ? 'timeout' : 'cut',
        reported: facts.startUsage ?? null,
        ran: generated ? 'yes' : 'maybe',
      }
    case 'caller-left':
      return {
        ...base,
        end: 'caller_left',
        reported: reported ?? facts.startUsage ?? null,
        ran: generated ? 'yes' : 'maybe',
      }
    case 'not-a-stream':
      return { ...base, ...notAStream(refusal) }
    case 'failed':
      return {
        ...base,
        end: end.end,
        reported: facts.ended ? reported : (facts.startUsage ?? null),
        ran: generated ? 'yes' : ranWithout(end.end),
      }
  }
}

function notAStream(refusal: Refused | null): Pick<AttemptEvidence, 'end' | 'ran' | 'retryAfterMs'> {
  return { end: refusal?.end ?? 'invalid_body', ran: 'no', retryAfterMs: refusal?.retryAfterMs ?? null }
}

interface Refused {
  readonly end: string
  readonly retryAfterMs: number | null
}

/** An answer that is none: it owes nothing. */
export function refusedEvidence(
  raw: Extract<WholeAnswer, { kind: 'answered' }>,
  { end, retryAfterMs }: Refused,
): AttemptEvidence {
  const { status, firstByteMs, headers } = raw
  return { ...evidence({ end, status, ran: 'no', firstByteMs }), retryAfterMs, headers }
}

const MAY_HAVE_RUN: ReadonlySet<string> = new Set([
  'timeout',
  'broken_stream',
  'slow_start',
  'stalled',
  'slow',
  'hedge_lost',
])

/** Sent, and nothing came: the model may have run up a bill unless there was no connection at all. */
function ranWithout(end: string): AttemptEvidence['ran'] {
  return MAY_HAVE_RUN.has(end) ? 'maybe' : 'no'
}

export function failedEvidence(raw: Extract<WholeAnswer, { kind: 'failed' }>): AttemptEvidence {
  const end = endOf(raw.failure, raw.status)
  const ran = raw.status === 200 ? 'yes' : ranWithout(end)
  return evidence({ end, status: raw.status, ran, firstByteMs: null })
}

export function wholeEvidence(
  { usage, text }: AnswerFacts,
  { firstByteMs, headers }: Extract<WholeAnswer, { kind: 'answered' }>,
): AttemptEvidence {
  return {
    end: 'ok',
    status: 200,
    firstByteMs,
    reported: usage,
    deltas: 0,
    textBytes: Buffer.byteLength(text),
    streamed: false,
    ran: 'yes',
    firstTokenMs: firstByteMs,
    retryAfterMs: null,
    headers,
  }
}

export function evidence(
  known: Pick<AttemptEvidence, 'end' | 'status' | 'ran' | 'firstByteMs'>,
): AttemptEvidence {
  const { end, status, ran, firstByteMs } = known
  return {
    end,
    status,
    firstByteMs,
    reported: null,
    deltas: 0,
    textBytes: 0,
    streamed: false,
    ran,
    firstTokenMs: null,
    retryAfterMs: null,
    headers: NO_HEADERS,
  }
}
