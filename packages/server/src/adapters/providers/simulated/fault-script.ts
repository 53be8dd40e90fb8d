// Scripts of calls that go wrong: refusals before the model ran, and answers that stop in the middle.

import { type Circumstances, type Generated, type ScriptBase, answerScript } from './answer-script.js'
import { anthropicErrorFrame } from './encode-anthropic.js'
import { openAiErrorFrame } from './encode-openai.js'
import { responseErrorFrame } from './encode-responses.js'
import type { Fault } from './choose-fault.js'
import { type ErrorAnswer, type ErrorDetail, dialectOf, errorAnswer } from './provider-errors.js'
import { type RateState, goDuration, rateHeaders, retryAfterSeconds } from './rate-bucket.js'
import type { FaultName, Script } from './script.js'
import { diceOf } from './seeded.js'
import type { SimRoute } from './sim-request.js'

export interface FaultContext {
  readonly base: ScriptBase
  readonly at: Circumstances
  readonly generate: () => Generated
}

/** Shown as the limit when throttling is a coin's doing, not a bucket's. */
const LIMIT_SHOWN = 60
const HTML =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>' +
  '<body><h1>Network connection lost</h1></body></html>\n'
const GARBAGE = '{"id":"broken","object":"chat.completion","choices":[{"index":0,"mess'

export function faultScript(fault: Exclude<Fault, { readonly kind: 'none' }>, context: FaultContext): Script {
  switch (fault.kind) {
    case 'outage':
      return refusal('outage', context, { status: dialectOf(context.at.route) === 'openai' ? 503 : 529 })
    case 'error':
      return refusal('error', context, { status: fault.status })
    case 'throttle':
      return throttled(context)
    case 'html':
      return plain('html', context.base, { type: 'text/html; charset=utf-8', text: HTML })
    case 'garbage':
      return context.base.stream
        ? plain('garbage', context.base, {
            type: 'text/event-stream; charset=utf-8',
            text: `data: ${GARBAGE}\n\n`,
          })
        : plain('garbage', context.base, { type: 'application/json', text: GARBAGE })
    case 'stall':
      return stalled(fault.afterTokens, context)
    case 'broken':
      return broken(fault.afterTokens, context)
    case 'in_band_error':
      return inBandError(fault.afterTokens, context)
  }
}

/** An error answer that is a whole script: also for requests that could not even be parsed. */
export function errorScript(name: FaultName, model: string, error: ErrorAnswer): Script {
  return {
    model,
    stream: false,
    fault: name,
    status: error.status,
    headers: { 'content-type': 'application/json', ...error.headers, 'x-spillway-simulated': 'true' },
    headAtMs: 0,
    frames: [{ atMs: 0, text: error.body, tokensSoFar: 0, reports: null }],
    end: 'end',
    inputTokens: 0,
    outputTokens: 0,
    firstTokenMs: 0,
    msPerToken: 0,
  }
}

function refusal(
  name: FaultName,
  context: FaultContext,
  detail: Pick<ErrorDetail, 'status' | 'message' | 'headers'>,
): Script {
  const { base, at } = context
  const dialect = dialectOf(at.route)
  const retry = at.directives.retryAfterSeconds
  const headers = {
    ...base.headers,
    ...(dialect === 'anthropic' && detail.status >= 429 ? { 'x-should-retry': 'true' } : {}),
    ...detail.headers,
    ...(retry === null ? {} : { 'retry-after': String(retry) }),
  }
  const script = errorScript(
    name,
    base.model,
    errorAnswer({ dialect, requestId: base.requestId, ...detail, headers }),
  )
  return { ...script, headAtMs: base.firstTokenMs, firstTokenMs: base.firstTokenMs }
}

function throttled(context: FaultContext): Script {
  const { base, at } = context
  const dialect = dialectOf(at.route)
  const state = at.rate === null || at.rate.granted ? shownState(at) : at.rate.state
  const wait = { 'retry-after': String(retryAfterSeconds(state)) }
  const exact = dialect === 'openai' ? { 'retry-after-ms': String(state.nextInMs) } : {}
  const headers = { ...rateHeaders(dialect, state, at.nowMs), ...wait, ...exact }
  const message =
    `Rate limit reached for ${base.model} in organization org-simulated on requests per min (RPM): ` +
    `Limit ${state.limit}, Used ${state.limit}, Requested 1. ` +
    `Please try again in ${goDuration(state.nextInMs)}.`
  return refusal('throttle', context, { status: 429, headers, ...(dialect === 'openai' ? { message } : {}) })
}

function shownState(at: Circumstances): RateState {
  const nextInMs = (at.directives.retryAfterSeconds ?? 1) * 1_000
  return { limit: at.behaviour.requestsPerMinute || LIMIT_SHOWN, remaining: 0, fullInMs: nextInMs, nextInMs }
}

function plain(
  name: FaultName,
  base: ScriptBase,
  content: { readonly type: string; readonly text: string },
): Script {
  const error = {
    status: 200,
    headers: { ...base.headers, 'content-type': content.type },
    body: content.text,
  }
  return { ...errorScript(name, base.model, error), stream: base.stream, headAtMs: base.firstTokenMs }
}

/**
 * Silence before the head, or in the middle of a stream; a whole answer can only be silent before the head.
 */
function stalled(afterTokens: number, context: FaultContext): Script {
  if (context.base.stream && afterTokens > 0) {
    return { ...cutAfter(afterTokens, context), fault: 'stall', end: 'stall' }
  }
  const silent = errorScript('stall', context.base.model, {
    status: 200,
    headers: context.base.headers,
    body: '',
  })
  return { ...silent, headAtMs: Infinity, frames: [], end: 'stall' }
}

function broken(afterTokens: number | null, context: FaultContext): Script {
  if (context.base.stream) return { ...cutAfter(afterTokens, context), fault: 'broken', end: 'broken' }
  const script = answerScript(context.generate(), context.base)
  const frames = script.frames.map((frame) => {
    return { ...frame, text: frame.text.slice(0, Math.floor(frame.text.length / 2)), reports: null }
  })
  return { ...script, frames, fault: 'broken', end: 'broken' }
}

function inBandError(afterTokens: number, context: FaultContext): Script {
  const { base, at } = context
  const dialect = dialectOf(at.route)
  const status = dialect === 'openai' ? 500 : 529
  const { body } = errorAnswer({ dialect, status, requestId: base.requestId })
  if (!base.stream) return plain('in_band_error', base, { type: 'application/json', text: body })
  const script = cutAfter(afterTokens, context)
  const text = errorFrame(at.route, body, script.frames.length)
  const last = script.frames.at(-1)
  const frame = {
    atMs: last?.atMs ?? base.firstTokenMs,
    text,
    tokensSoFar: script.outputTokens,
    reports: null,
  }
  return { ...script, frames: [...script.frames, frame], fault: 'in_band_error' }
}

function errorFrame(route: SimRoute, body: string, events: number): string {
  if (route === 'openai-responses') return responseErrorFrame(body, events)
  return dialectOf(route) === 'openai' ? openAiErrorFrame(body) : anthropicErrorFrame(body)
}

/** The stream up to so many tokens, and never to its end: the last token is always missing. */
function cutAfter(afterTokens: number | null, context: FaultContext): Script {
  const { base, at } = context
  const script = answerScript(context.generate(), base)
  const most = Math.max(0, script.outputTokens - 1)
  const chosen = afterTokens ?? diceOf(`broken\n${base.occasion}`, at.seed).between(Math.min(1, most), most)
  const tokens = Math.min(Math.floor(chosen), most)
  const frames = script.outputTokens === 0 ? [] : script.frames.filter((frame) => frame.tokensSoFar <= tokens)
  return { ...script, frames, outputTokens: tokens }
}
