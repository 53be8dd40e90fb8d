// What runs a model on the device: the browser's own (`browserLanguageModel`), or whatever the application
// brings along.

import { REQUEST_LIMITS } from '@spillway/protocol'

export interface DeviceMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A call in the terms that every runner knows: text in, text out. The last message is the user's. */
export interface DeviceRequest {
  readonly messages: readonly DeviceMessage[]
  /** JSON schema the answer has to follow; null: free text. */
  readonly jsonSchema: object | null
  /** The answer ends before the first of these. */
  readonly stop: readonly string[]
  readonly maxOutputTokens: number | null
  readonly temperature: number | null
  readonly topP: number | null
}

export interface DeviceResult {
  /** The whole answer. */
  readonly text: string
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number }
  /** How sure the model is, 0..1. Absent: not known, which is never taken for sure. */
  readonly confidence?: number
  /** `stop` or `length`. Default `stop`. */
  readonly finishReason?: string
}

export interface DeviceRunOptions {
  /** Aborts with the task, at the timeout, and when nobody reads the answer any more. */
  readonly signal: AbortSignal
  /** Takes the pieces of the answer as they come. A runner that cannot stream never calls it. */
  readonly onText: (piece: string) => void
}

export interface OnDeviceRunner {
  /** Stands for the model in answers and traces: 1 to 200 printable ASCII characters. */
  readonly name: string
  /** `downloadable` is treated as `no`: a download is started by the application, not under a deadline. */
  available(): Promise<'ready' | 'downloadable' | 'no'>
  /** false sends the call straight to the server. Default: everything that is text. */
  supports?(request: DeviceRequest): boolean
  run(request: DeviceRequest, options: DeviceRunOptions): Promise<DeviceResult>
}

export type RunFunction = (
  request: DeviceRequest,
  options: DeviceRunOptions,
) => Promise<DeviceResult | string> | DeviceResult | string

/** A runner out of one function, such as a call of WebLLM or transformers.js. Ready unless told otherwise. */
export function fromRunner(
  name: string,
  run: RunFunction,
  more: Partial<Pick<OnDeviceRunner, 'available' | 'supports'>> = {},
): OnDeviceRunner {
  checkRunnerName(name)
  return {
    name,
    available: () => Promise.resolve('ready'),
    ...more,
    async run(request, options) {
      const result = await run(request, options)
      return typeof result === 'string' ? { text: result } : result
    },
  }
}

/** Throws `TypeError`: the name travels in headers and in the trace. */
export function checkRunnerName(name: unknown): void {
  const isGood = typeof name === 'string' && /^[\x20-\x7e]+$/.test(name) && name.trim() === name
  if (isGood && name.length <= REQUEST_LIMITS.nameLengthMax) return
  throw new TypeError('the name of an on-device runner must be 1 to 200 printable ASCII characters')
}
