// A simulated provider's memory: its knobs, which may be turned while it runs, how often it was asked the
// same, its rate buckets, and its books. From a call it makes the script that is then played.

import { dropOldest } from '../../../core/drop-oldest.js'
import type { SimulatedBehaviour, Simulation } from '../../../core/release/simulation.js'
import type { System } from '../../../engine/ports.js'
import type { Circumstances } from './answer-script.js'
import { behaviourOf } from './behaviour.js'
import { readDirectives } from './directives.js'
import { errorScript } from './fault-script.js'
import { type ParsedCall, makeScript } from './make-script.js'
import { parseAnthropicMessages } from './parse-anthropic.js'
import { BadField } from './parse-fields.js'
import { parseOpenAiChat, parseOpenAiEmbeddings } from './parse-openai.js'
import { parseOpenAiResponses } from './parse-responses.js'
import { DIGEST_LENGTH } from './prompt-text.js'
import { dialectOf, errorAnswer } from './provider-errors.js'
import { type RateBucket, takeOne } from './rate-bucket.js'
import type { Script } from './script.js'
import { hexName } from './seeded.js'
import type { SimRoute } from './sim-request.js'
import { type Played, type SimStats, StatsBook } from './sim-stats.js'

export interface SimCall {
  readonly route: SimRoute
  readonly body: Uint8Array
  /** The header `x-sim`, when there is one. */
  readonly orders: string | undefined
}

const ORDINALS_MAX = 20_000
const BUCKETS_MAX = 1_000
const decoder = new TextDecoder()

export class SimWorld {
  readonly #system: System
  readonly #ordinals = new Map<string, number>()
  readonly #buckets = new Map<string, RateBucket>()
  readonly #stats = new StatsBook()
  #simulation: Simulation

  constructor(simulation: Simulation, system: System) {
    this.#simulation = simulation
    this.#system = system
  }

  get simulation(): Simulation {
    return this.#simulation
  }

  open(call: SimCall): Script {
    const script = this.#scriptFor(call)
    this.#stats.opened(script)
    return script
  }

  /** Every script that was opened is closed once, however it ended. */
  close(script: Script, played: Played): void {
    this.#stats.closed(script, played)
  }

  /** Opens a script that was made elsewhere, for a call that never reached a model. */
  note(script: Script): void {
    this.#stats.opened(script)
  }

  /** Turns knobs: of one model, or (null) of all that have none of their own. */
  change(model: string | null, knobs: Partial<SimulatedBehaviour>): void {
    const { models } = this.#simulation
    this.#simulation =
      model === null
        ? { ...this.#simulation, ...knobs }
        : { ...this.#simulation, models: { ...models, [model]: { ...models[model], ...knobs } } }
  }

  stats(): SimStats {
    return this.#stats.snapshot()
  }

  #scriptFor(call: SimCall): Script {
    const { route } = call
    let parsed: ParsedCall
    try {
      parsed = parseCall(call)
    } catch (error) {
      return invalidScript(route, error)
    }
    const { model, digest } = parsed.request
    const behaviour = behaviourOf(this.#simulation, model)
    return makeScript(parsed, {
      route,
      behaviour,
      directives: readDirectives(call.orders, parsed.kind === 'chat' ? parsed.request.lastUserText : ''),
      seed: this.#simulation.seed,
      ordinal: this.#ordinalOf(hexName(`${route}\n${model}\n${digest}`, DIGEST_LENGTH)),
      nowMs: this.#system.nowMs(),
      rate: this.#takeOne(model, behaviour.requestsPerMinute),
    })
  }

  #ordinalOf(key: string): number {
    const ordinal = this.#ordinals.get(key) ?? 0
    // Oldest out first: what was asked last is what gets repeated.
    this.#ordinals.delete(key)
    this.#ordinals.set(key, ordinal + 1)
    if (this.#ordinals.size > ORDINALS_MAX) dropOldest(this.#ordinals)
    return ordinal
  }

  #takeOne(model: string, perMinute: number): Circumstances['rate'] {
    if (perMinute <= 0) return null
    const { granted, bucket, state } = takeOne(this.#buckets.get(model), perMinute, this.#system.nowMs())
    this.#buckets.set(model, bucket)
    if (this.#buckets.size > BUCKETS_MAX) dropOldest(this.#buckets)
    return { granted, state }
  }
}

function parseCall(call: SimCall): ParsedCall {
  const body: unknown = JSON.parse(decoder.decode(call.body))
  switch (call.route) {
    case 'openai-chat':
      return { kind: 'chat', request: parseOpenAiChat(body) }
    case 'openai-responses':
      return { kind: 'chat', request: parseOpenAiResponses(body) }
    case 'openai-embeddings':
      return { kind: 'embeddings', request: parseOpenAiEmbeddings(body) }
    case 'anthropic-messages':
      return { kind: 'chat', request: parseAnthropicMessages(body, { counting: false }) }
    case 'anthropic-count-tokens':
      return { kind: 'chat', request: parseAnthropicMessages(body, { counting: true }) }
  }
}

function invalidScript(route: SimRoute, error: unknown): Script {
  // RangeError: nested deeper than the stack.
  const known = error instanceof BadField || error instanceof SyntaxError || error instanceof RangeError
  if (!known) throw error
  const field =
    error instanceof BadField ? { message: error.message, param: error.field, code: error.code } : null
  const detail = field ?? { message: 'We could not parse the JSON body of your request.' }
  const requestId = `req_${hexName(error.message, 24)}`
  return errorScript(
    'invalid',
    '(invalid)',
    errorAnswer({ dialect: dialectOf(route), status: 400, requestId, ...detail }),
  )
}
