// The provider of kind `on-device`: a GGUF model in this process. Speaks OpenAI's chat completions and
// embeddings through the port as if a server were behind it: answers, refusals, limits, time-outs.

import type { CallerWire, ProviderConfig, Wire } from '../../../core/release/release.js'
import type {
  Provider,
  System,
  UpstreamCall,
  UpstreamListener,
  UpstreamRequest,
} from '../../../engine/ports.js'
import { answerChat } from './answer-chat.js'
import { answerEmbeddings } from './answer-embeddings.js'
import type { LocalModel, ModelRunner, OpenRunner } from './model-runner.js'
import { OnDeviceCall } from './on-device-call.js'
import { type Refusal, modelFailed, notLoaded, overloaded, unsupported } from './openai-error.js'
import { readChat } from './read-chat.js'
import { readEmbedding } from './read-embedding.js'
import { WaitingLine } from './waiting-line.js'

export type OnDeviceProviderConfig = Extract<ProviderConfig, { readonly kind: 'on-device' }>

export interface OnDeviceProviderOptions {
  readonly system: System
  readonly model: LocalModel
  readonly open: OpenRunner
}

/** Calls that may wait for a sequence; more are answered 503, for the engine to take them elsewhere. */
export const CALLS_WAITING_MAX = 32

export function createOnDeviceProvider(
  config: Pick<OnDeviceProviderConfig, 'name'>,
  options: OnDeviceProviderOptions,
): Provider {
  return new OnDeviceProvider(config.name, options)
}

type Work = (runner: ModelRunner) => Promise<void>
type Read =
  | { readonly kind: 'work'; readonly work: Work }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

class OnDeviceProvider implements Provider {
  readonly name: string
  readonly simulated = false
  readonly #options: OnDeviceProviderOptions
  readonly #line: WaitingLine
  readonly #underWay = new Set<Promise<void>>()
  #runner: Promise<ModelRunner> | null = null
  #isClosed = false

  constructor(name: string, options: OnDeviceProviderOptions) {
    this.name = name
    this.#options = options
    this.#line = new WaitingLine({ places: options.model.sequences, lengthMax: CALLS_WAITING_MAX })
  }

  speaks(wire: CallerWire): Wire {
    return wire === 'openai-embeddings' ? wire : 'openai-chat'
  }

  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const call = new OnDeviceCall(request, listener, this.#options.system)
    const serving = this.#serve(call, request, this.#isClosed)
    this.#underWay.add(serving)
    void serving.finally(() => this.#underWay.delete(serving))
    return call
  }

  /** Waits for the calls under way: after a reload the old release's provider may still be answering. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#underWay)
    const runner = this.#runner
    this.#runner = null
    // A model that could not be loaded has nothing to free.
    await runner?.then((loaded) => loaded.close()).catch(() => {})
  }

  async #serve(call: OnDeviceCall, request: UpstreamRequest, isTooLate: boolean): Promise<void> {
    // Nobody is called back before `send` has returned.
    await Promise.resolve()
    if (isTooLate) return call.fail('connection', `the provider ${this.name} is closed`)
    const read = this.#read(call, request)
    if (read.kind === 'refused') return call.refuse(read.refusal)
    const place = this.#line.enter(call.signal)
    if (place === null) {
      const message = `All ${this.#options.model.sequences} sequences of the on-device model are busy.`
      return call.refuse(overloaded(message))
    }
    if (!(await place)) return
    try {
      await this.#work(call, read.work)
    } finally {
      this.#line.leave()
    }
  }

  async #work(call: OnDeviceCall, work: Work): Promise<void> {
    const runner = await this.#loaded().catch((error: unknown) => messageOf(error))
    if (call.signal.aborted) return
    if (typeof runner === 'string') return call.refuse(notLoaded(runner))
    try {
      await work(runner)
    } catch (error) {
      const message = `The on-device model failed: ${messageOf(error)}`
      if (call.isHeadSent) call.fail('broken', message)
      else call.refuse(modelFailed(message))
    }
  }

  /** With the first call. A failure is not kept: the file may be there the next time. */
  #loaded(): Promise<ModelRunner> {
    this.#runner ??= this.#options.open(this.#options.model).catch((error: unknown) => {
      this.#runner = null
      throw error
    })
    return this.#runner
  }

  #read(call: OnDeviceCall, request: UpstreamRequest): Read {
    const { system } = this.#options
    const { model, wire, body } = request
    if (wire === 'openai-embeddings') {
      const read = readEmbedding(body)
      if (read.kind === 'refused') return read
      return { kind: 'work', work: (runner) => answerEmbeddings(call, runner, { ask: read.ask, model }) }
    }
    if (wire !== 'openai-chat') {
      return { kind: 'refused', refusal: unsupported('wire', `On-device models do not speak ${wire}.`) }
    }
    const read = readChat(body, Math.floor(system.random() * 2 ** 32))
    if (read.kind === 'refused') return read
    const id = `chatcmpl-${system.newId('message').replace(/^[a-z]+_/, '')}`
    const createdSeconds = Math.floor(system.nowMs() / 1_000)
    const { ask } = read
    return {
      kind: 'work',
      work: (runner) => answerChat({ call, runner, ask, id, createdSeconds, model }),
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
