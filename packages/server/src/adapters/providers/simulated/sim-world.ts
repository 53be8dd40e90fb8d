// A simulated provider's memory: its knobs, which may be turned while it runs, how often it was asked the same, its
// rate buckets, and its books. From a call it makes the script that is then played.

import type { SimulatedBehaviour, Simulation } from '../../../core/release/release.js'
import type { System } from '../../../engine/ports.js'
import { behaviourOf } from './behaviour.js'
import { readDirectives } from './directives.js'
import { errorScript } from './fault-script.js'
import { type ParsedCall, makeScript } from './make-script.js'
import { parseAnthropicMessages } from './parse-anthropic.js'
import { BadField } from './parse-fields.js'
import { parseOpenAiChat, parseOpenAiEmbeddings } from './parse-openai.js'
import { dialectOf, errorAnswer } from './provider-errors.js'
import { type RateBucket, type RateState, takeOne } from './rate-bucket.js'
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

export interface SimWorld {
  open(call: SimCall): Script
  /** Every script that was opened is closed once, however it ended. */
  close(script: Script, played: Played): void
  /** Notes a call that never reached a model. */
  note(script: Script): void
  /** Turns knobs: of one model, or (null) of all. */
  change(model: string | null, knobs: Partial<SimulatedBehaviour>): void
  readonly simulation: Simulation
  stats(): SimStats
}

const ORDINALS_MAX = 20_000
const BUCKETS_MAX = 1_000
const decoder = new TextDecoder()

export function createSimWorld(simulation: Simulation, system: System): SimWorld {
  let current = simulation
  const ordinals = new Map<string, number>()
  const buckets = new Map<string, RateBucket>()
  const stats = new StatsBook()

  function ordinalOf(question: string): number {
    const key = hexName(question, 16)
    const ordinal = ordinals.get(key) ?? 0
    // Oldest out first: what was asked last is what gets repeated.
    ordinals.delete(key)
    ordinals.set(key, ordinal + 1)
    if (ordinals.size > ORDINALS_MAX) dropOldest(ordinals)
    return ordinal
  }

  function rateOf(model: string, perMinute: number): { granted: boolean; state: RateState } | null {
    if (perMinute <= 0) return null
    const { granted, bucket, state } = takeOne(buckets.get(model), perMinute, system.nowMs())
    buckets.set(model, bucket)
    if (buckets.size > BUCKETS_MAX) dropOldest(buckets)
    return { granted, state }
  }

  function open(call: SimCall): Script {
    const script = scriptFor(call)
    stats.opened(script)
    return script
  }

  function scriptFor(call: SimCall): Script {
    const { route } = call
    let parsed: ParsedCall
    try {
      parsed = parseCall(call)
    } catch (error) {
      return invalidScript(route, error)
    }
    const { model } = parsed.request
    const behaviour = behaviourOf(current, model)
    const asked = parsed.kind === 'chat' ? parsed.request.promptText : parsed.request.inputs.join('\n')
    return makeScript(parsed, {
      route,
      behaviour,
      directives: readDirectives(call.orders, parsed.kind === 'chat' ? parsed.request.lastUserText : ''),
      seed: current.seed,
      ordinal: ordinalOf(`${route}\n${model}\n${asked}`),
      nowMs: system.nowMs(),
      rate: rateOf(model, behaviour.requestsPerMinute),
    })
  }

  return {
    open,
    close: (script, played) => stats.closed(script, played),
    note: (script) => stats.opened(script),
    change(model, knobs) {
      current =
        model === null
          ? { ...current, ...knobs }
          : { ...current, models: { ...current.models, [model]: { ...current.models[model], ...knobs } } }
    },
    get simulation() {
      return current
    },
    stats: () => stats.snapshot(),
  }
}

function parseCall(call: SimCall): ParsedCall {
  const body: unknown = JSON.parse(decoder.decode(call.body))
  switch (call.route) {
    case 'openai-chat':
      return { kind: 'chat', request: parseOpenAiChat(body) }
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
  const field = error instanceof BadField ? { message: error.message, param: error.field } : null
  const detail = field ?? { message: 'We could not parse the JSON body of your request.' }
  const requestId = `req_${hexName(error.message, 24)}`
  return errorScript('invalid', '(invalid)', errorAnswer({ dialect: dialectOf(route), status: 400, requestId, ...detail }))
}

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}
