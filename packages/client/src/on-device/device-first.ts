// Calls that are tried on the device first and go to the server when that gave nothing good enough.

import type { DeviceEnd, ReportedStep } from '@spillway/protocol'
import type { Clock } from '../clock.js'
import { randomKey } from '../random-key.js'
import { CLIENT_CODES, SpillwayError } from '../spillway-error.js'
import { type DeviceFormat, type DeviceHead, deviceHeaders, eventText } from './device-format.js'
import type { OnDeviceOptions } from './rule.js'
import type { DeviceRequest, OnDeviceRunner } from './runner.js'
import { type DeviceRan, type DeviceRun, runOnDevice } from './run-on-device.js'

export interface DeviceCall {
  readonly options: OnDeviceOptions
  readonly format: DeviceFormat
  readonly body: object
  readonly taskId: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly leftMs: () => number
  /** Is given each run as it starts, so that the task does not end before its steps are told. */
  readonly report: (step: Promise<ReportedStep>) => void
}

/** What the device gave. `end` is null for a call that is not for a device. */
export interface Tried<T> {
  readonly answer: T | null
  readonly end: DeviceEnd | null
}

export const NOT_TRIED = { answer: null, end: null } as const

interface WholeAnswer {
  readonly body: object
  readonly text: string
  readonly headers: Headers
}

/** Rejects only with the reason of the call's signal. */
export async function tryWhole(call: DeviceCall): Promise<Tried<WholeAnswer>> {
  const ran = await tryRun(call, { isStreamed: false, show: null, signal: call.signal })
  if (ran === null) return NOT_TRIED
  if (ran.end !== 'answered' || ran.answer === null) return { answer: null, end: ran.end }
  const head = headOf(call)
  const body = call.format.whole(head, ran.answer)
  return { answer: { body, text: ran.answer.text, headers: deviceHeaders(head) }, end: ran.end }
}

/** The same as a response whose body is the stream. Leaving it early ends the run. */
export function tryStream(call: DeviceCall): Promise<Tried<Response>> {
  return call.options.streams === 'live' ? tryLive(call) : tryHeld(call)
}

async function tryHeld(call: DeviceCall): Promise<Tried<Response>> {
  const ran = await tryRun(call, { isStreamed: true, show: null, signal: call.signal })
  if (ran === null) return NOT_TRIED
  if (ran.end !== 'answered' || ran.answer === null) return { answer: null, end: ran.end }
  const { format, body } = call
  const head = headOf(call)
  const pieces = [...format.begin(head), ...format.piece(head, ran.answer.text)]
  const text = [...pieces, ...format.end(head, ran.answer, body)].map(eventText).join('')
  return { answer: new Response(text, { headers: deviceHeaders(head) }), end: ran.end }
}

/** Resolves with the first piece of text; without one, with what became of the run. */
async function tryLive(call: DeviceCall): Promise<Tried<Response>> {
  const { format, body } = call
  const head = headOf(call)
  const left = new AbortController()
  let begin = () => {}
  const begun = new Promise<null>((resolve) => (begin = () => resolve(null)))
  const stream = eventStream(() => left.abort(new DOMException('nobody reads on', 'AbortError')))
  let isBegun = false
  const show = (piece: string) => {
    if (!isBegun) stream.write(format.begin(head))
    isBegun = true
    stream.write(format.piece(head, piece))
    begin()
  }
  const signal = AbortSignal.any([call.signal, left.signal])
  const running = tryRun(call, { isStreamed: true, show, signal })
  const finish = (ran: DeviceRan | null) => {
    if (ran?.answer && ran.end === 'answered') stream.end(format.end(head, ran.answer, body))
    else stream.fail(broken(ran))
  }
  const ended = running.then(finish).catch((reason: unknown) => stream.fail(reason))
  await Promise.race([begun, ended])
  if (!isBegun) return { answer: null, end: (await running)?.end ?? null }
  return { answer: new Response(stream.body, { headers: deviceHeaders(head) }), end: 'answered' }
}

type How = Pick<DeviceRun, 'isStreamed' | 'show' | 'signal'>

/** null: not for a device. */
async function tryRun(call: DeviceCall, how: How): Promise<DeviceRan | null> {
  const { options, clock, format, body, signal } = call
  const request = format.requestOf(body)
  if (request === null || !isSupported(options.runner, request)) return null
  const running = runOnDevice({ options, request, clock, leftMs: call.leftMs(), ...how })
  call.report(running.then(({ step }) => step))
  const ran = await running
  signal.throwIfAborted()
  return ran
}

/** A runner that cannot even say so is not asked. */
function isSupported(runner: OnDeviceRunner, request: DeviceRequest): boolean {
  try {
    return runner.supports?.(request) ?? true
  } catch {
    return false
  }
}

function headOf({ options, taskId, clock }: DeviceCall): DeviceHead {
  return { id: randomKey(), model: options.runner.name, taskId, nowMs: clock.now() }
}

function broken(ran: DeviceRan | null): SpillwayError {
  const message = `the device did not come to the end of its answer: ${ran?.end ?? 'failed'}`
  return new SpillwayError({ code: CLIENT_CODES.streamUnfinished, message, shouldRetry: false })
}

/** A body that is written to as text comes; bounded by the longest answer of a device. */
function eventStream(onCancel: () => void) {
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null
  let isOpen = true
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given
    },
    cancel: () => {
      isOpen = false
      onCancel()
    },
  })
  const write = (events: readonly unknown[]) => {
    if (isOpen) controller?.enqueue(encoder.encode(events.map(eventText).join('')))
  }
  return {
    body,
    write,
    end(events: readonly unknown[]) {
      write(events)
      if (isOpen) controller?.close()
      isOpen = false
    },
    fail(reason: unknown) {
      if (isOpen) controller?.error(reason)
      isOpen = false
    },
  }
}
