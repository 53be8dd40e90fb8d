// One call on the device: there or not, run within its time, judged by the rule, and told as a step. Whatever
// goes wrong here ends in the server being asked, never in an error of the application's.

import { type DeviceEnd, REQUEST_LIMITS, type ReportedStep } from '@spillway/protocol'
import type { Clock } from '../clock.js'
import { nameOfError } from '../outcome-values.js'
import { untilAborted } from '../until-aborted.js'
import { type DeviceAnswer, type OnDeviceOptions, mustEscalate } from './rule.js'
import type { DeviceRequest, DeviceResult } from './runner.js'

const TIMEOUT_DEFAULT_MS = 5_000

/** Longest answer, in characters. A model that goes on has lost its way. */
export const TEXT_LENGTH_MAX = 1_000_000

export interface DeviceRun {
  readonly options: OnDeviceOptions
  readonly request: DeviceRequest
  readonly clock: Clock
  /** The task's, or one that ends earlier. */
  readonly signal: AbortSignal
  /** Of the task, ms. */
  readonly leftMs: number
  readonly isStreamed: boolean
  /** Shows pieces as they come; the rule is not asked then. null: the answer is judged first. */
  readonly show: ((piece: string) => void) | null
}

export interface DeviceRan {
  readonly end: DeviceEnd
  /** null unless `end` is `answered` or `escalated`. */
  readonly answer: DeviceAnswer | null
  readonly step: ReportedStep
}

type Ended =
  | { readonly end: 'answered' | 'escalated'; readonly answer: DeviceAnswer; readonly error?: unknown }
  | { readonly end: Exclude<DeviceEnd, 'answered' | 'escalated'>; readonly error: unknown }

class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

class TooLong extends Error {
  override readonly name = 'TooLong'
}

/** Never rejects. */
export async function runOnDevice(run: DeviceRun): Promise<DeviceRan> {
  const { clock, options } = run
  const startedMs = clock.now()
  let firstMs: number | null = null
  const limit = new AbortController()
  const timeoutMs = Math.min(options.timeoutMs ?? TIMEOUT_DEFAULT_MS, run.leftMs / 2)
  const stopTimer = clock.after(timeoutMs, () => limit.abort(new DOMException('timed out', 'TimeoutError')))
  const signal = AbortSignal.any([run.signal, limit.signal])
  const onFirst = () => {
    firstMs ??= clock.now() - startedMs
    // What is being read may go on: from here only the task's deadline ends it.
    if (run.show !== null) stopTimer()
  }
  const ended = await answerWithin(run, signal, onFirst).catch((error: unknown) => {
    return { end: endOf(error, run.signal, limit.signal), error } as const
  })
  stopTimer()
  const durationMs = Math.max(0, clock.now() - startedMs)
  const step = stepOf(run, ended, { startedMs, durationMs, firstMs })
  return { end: ended.end, answer: 'answer' in ended ? ended.answer : null, step }
}

async function answerWithin(run: DeviceRun, signal: AbortSignal, onFirst: () => void): Promise<Ended> {
  const { runner } = run.options
  const state = await untilAborted(signal, () => runner.available())
  if (state !== 'ready') throw new Unavailable()
  const tooLong = new AbortController()
  const runSignal = AbortSignal.any([signal, tooLong.signal])
  let length = 0
  const onText = (piece: string) => {
    if (runSignal.aborted || piece === '') return
    length += piece.length
    if (length > TEXT_LENGTH_MAX) return tooLong.abort(new TooLong())
    onFirst()
    run.show?.(piece)
  }
  const result = await untilAborted(runSignal, () => runner.run(run.request, { signal: runSignal, onText }))
  const answer = answerOf(result)
  if (run.request.jsonSchema !== null && !isJson(answer.text)) return { end: 'escalated', answer }
  if (length === 0) onText(answer.text)
  runSignal.throwIfAborted()
  if (run.show !== null) return { end: answer.text === '' ? 'escalated' : 'answered', answer }
  try {
    const isTurnedDown = await untilAborted(signal, () => mustEscalate(run.options, answer))
    return { end: isTurnedDown ? 'escalated' : 'answered', answer }
  } catch (error) {
    signal.throwIfAborted()
    return { end: 'escalated', answer, error }
  }
}

/** The runner is foreign code: what it says beyond the text is taken where it can be true. */
function answerOf({ text, usage, confidence, finishReason }: DeviceResult): DeviceAnswer {
  if (typeof text !== 'string') throw new TypeError('the runner gave no text')
  if (text.length > TEXT_LENGTH_MAX) throw new TooLong()
  const isSure = typeof confidence === 'number' && confidence >= 0 && confidence <= 1
  const isCounted = usage !== undefined && isCount(usage.inputTokens) && isCount(usage.outputTokens)
  const { inputTokens = 0, outputTokens = 0 } = usage ?? {}
  return {
    text,
    confidence: isSure ? confidence : null,
    finishReason: finishReason === 'length' ? 'length' : 'stop',
    usage: isCounted ? { inputTokens, outputTokens } : null,
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function endOf(error: unknown, task: AbortSignal, limit: AbortSignal) {
  if (error instanceof Unavailable) return 'unavailable'
  if (task.aborted) return 'aborted'
  return limit.aborted ? 'timeout' : 'failed'
}

function stepOf(
  { options, isStreamed }: DeviceRun,
  ended: Ended,
  times: { readonly startedMs: number; readonly durationMs: number; readonly firstMs: number | null },
): ReportedStep {
  const { confidence, finishReason, usage } = 'answer' in ended ? ended.answer : NOTHING
  const { name } = options.runner
  return {
    kind: 'model',
    name,
    started_at: new Date(times.startedMs).toISOString(),
    duration_ms: Math.min(times.durationMs, REQUEST_LIMITS.durationMsMax),
    cost_usd: 0,
    on_device: {
      model: name,
      end: ended.end,
      ...(usage !== null && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens }),
      ...(confidence !== null && { confidence }),
      ...(times.firstMs !== null && { first_byte_ms: Math.max(0, times.firstMs) }),
      ...(isStreamed && { streamed: true }),
      ...(finishReason !== null && { finish_reason: finishReason }),
    },
    ...(ended.error !== undefined && { error: { name: nameOfError(ended.error) } }),
  }
}

const NOTHING = { confidence: null, finishReason: null, usage: null }
