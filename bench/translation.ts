// `npm run bench:translation`: what crossing formats costs, in CPU of this process and with no sockets: whole
// bodies, and one frame of a stream next to the same frame passed through. Variants alternate within each
// round, so that what the machine did to one it did to all.

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { jsonBytes as JsonBytes } from '../packages/server/src/engine/json-bytes.js'
import type { CallerWire, Wire } from '../packages/server/src/core/release/release.js'
import type { ProviderFormat, WireFormat } from '../packages/server/src/wire/format.js'
import type { droppedHints as DroppedHints } from '../packages/server/src/wire/dropped-hints.js'
import type { scannerBetween as ScannerBetween } from '../packages/server/src/wire/translate-stream.js'
import { type Verdict, intervalOf, judgeRatio, median, spreadOf } from './statistics.js'
import type { eventFrame as EventFrame } from '../packages/server/src/testing/converse-frames.js'
import { BODIES, answerIn, framesOf } from './translation-bodies.js'

const BUILT = '../../packages/server/dist/'
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))
const ROUNDS = 45
const BATCH = 200
const STREAM_FRAMES = 200
const REQUEST_TARGET_US = 150
const FRAME_TARGET = 2

interface Wires {
  readonly formatOf: (wire: CallerWire) => WireFormat
  readonly providerFormatOf: (wire: Wire) => ProviderFormat
  readonly droppedHints: typeof DroppedHints
  readonly jsonBytes: typeof JsonBytes
  readonly scannerBetween: typeof ScannerBetween
  readonly eventFrame: typeof EventFrame
}

interface Variant {
  readonly name: string
  /** Units of work in one run. */
  readonly units: number
  readonly run: () => void
  readonly target:
    | { readonly kind: 'us'; readonly atMost: number }
    | { readonly kind: 'ratio'; readonly to: string; readonly atMost: number }
    | null
}

async function load(): Promise<Wires> {
  const from = async (file: string): Promise<object> =>
    (await import(new URL(BUILT + file, import.meta.url).href)) as object
  const files = ['formats', 'dropped-hints', 'translate-stream'].map((name) => `wire/${name}.js`)
  const others = ['engine/json-bytes.js', 'testing/converse-frames.js']
  const parts = await Promise.all([...files, ...others].map(from))
  return Object.assign({}, ...parts) as Wires
}

type Caller = keyof typeof BODIES

const REQUEST_PAIRS: readonly (readonly [Caller, Wire])[] = [
  ['openai-chat', 'anthropic-messages'],
  ['openai-chat', 'gemini'],
  ['openai-chat', 'bedrock-converse'],
  ['anthropic-messages', 'openai-chat'],
  ['openai-responses', 'openai-chat'],
  ['openai-responses', 'anthropic-messages'],
]
const ANSWER_PAIRS: readonly (readonly [Caller, Caller])[] = [
  ['anthropic-messages', 'openai-chat'],
  ['openai-chat', 'anthropic-messages'],
  ['openai-chat', 'openai-responses'],
]
const STREAMS = ['openai-chat', 'anthropic-messages', 'gemini', 'bedrock-converse'] as const
const CALLERS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

/** As an attempt does it: parsed, decoded, encoded, hints told, written. */
function requests(wires: Wires): readonly Variant[] {
  return REQUEST_PAIRS.map(([from, to]) => {
    const json = JSON.stringify(BODIES[from])
    return {
      name: `request ${from} -> ${to}, ${Math.round(json.length / 1_024)} KB`,
      units: 1,
      target: { kind: 'us', atMost: REQUEST_TARGET_US },
      run: () => {
        const body: unknown = JSON.parse(json)
        const request = wires.formatOf(from).decodeRequest(body)
        if (request.kind === 'invalid') throw new Error(JSON.stringify(request.problems))
        const encoded = wires.providerFormatOf(to).encodeRequest(request.value)
        if (encoded.kind === 'invalid') throw new Error(JSON.stringify(encoded.problems))
        wires.droppedHints({ body, request: request.value, from, to })
        wires.jsonBytes(encoded.value)
      },
    }
  })
}

function answers(wires: Wires): readonly Variant[] {
  return ANSWER_PAIRS.map(([from, to]) => {
    const json = JSON.stringify(answerIn(wires.formatOf(from)))
    return {
      name: `answer ${from} -> ${to}, ${Math.round(json.length / 1_024)} KB`,
      units: 1,
      target: null,
      run: () => {
        const answer = wires.formatOf(from).decodeAnswer(JSON.parse(json))
        if (answer === null) throw new Error('not an answer')
        wires.jsonBytes(wires.formatOf(to).encodeAnswer(answer, 1))
      },
    }
  })
}

type Kind = 'text' | 'arguments'

const passedName = (wire: Wire, kind: Kind): string => `${wire}, a frame of ${kind}, passed`

/**
 * A translated frame next to one that is passed: of the provider's own stream, or, where no caller speaks its
 * format, of the caller's.
 */
function streams(wires: Wires): readonly Variant[] {
  const frames = framesOf(wires.eventFrame)
  const made = (from: Wire & keyof typeof frames, to: CallerWire, kind: Kind): readonly Variant[] => {
    const source = frames[from][kind]
    if (source === undefined) return []
    const { start, delta } = source
    const own = CALLERS.some((wire) => wire === from) ? from : to
    const target = { kind: 'ratio', to: passedName(own, kind), atMost: FRAME_TARGET } as const
    const run = (): void => {
      const named = { from, to, model: 'm', answerId: 'a', createdSeconds: 1, estimatedInputTokens: 9 }
      const keep = { keepUsage: true, keepLogprobs: false, collect: false }
      const scanner = wires.scannerBetween({ ...named, ...keep })
      for (const frame of start) scanner.push(frame)
      for (let index = 0; index < STREAM_FRAMES; index += 1) scanner.push(delta(index))
    }
    if (from === to) return [{ name: passedName(from, kind), units: STREAM_FRAMES, target: null, run }]
    return [{ name: `${from} -> ${to}, a frame of ${kind}`, units: STREAM_FRAMES, target, run }]
  }
  return (['text', 'arguments'] as const).flatMap((kind) => [
    ...CALLERS.flatMap((wire) => made(wire, wire, kind)),
    ...STREAMS.flatMap((from) => CALLERS.flatMap((to) => (from === to ? [] : made(from, to, kind)))),
  ])
}

/** CPU of one unit, microseconds. */
function measured({ run, units }: Variant): number {
  const before = process.cpuUsage()
  for (let index = 0; index < BATCH; index += 1) run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / BATCH / units
}

interface Line {
  readonly variant: string
  readonly cpuUs: number
  readonly ratio: number | null
  readonly atMost: number | null
  readonly verdict: Verdict | null
}

function lineOf(variant: Variant, samples: ReadonlyMap<string, readonly number[]>): Line {
  const own = samples.get(variant.name) ?? []
  const base = { variant: variant.name, cpuUs: median(own) }
  const { target } = variant
  if (target === null) return { ...base, ratio: null, atMost: null, verdict: null }
  const { atMost } = target
  if (target.kind === 'us') {
    return { ...base, ratio: null, atMost, verdict: judgeRatio(intervalOf(own), atMost, 0) }
  }
  const others = samples.get(target.to) ?? []
  const ratios = intervalOf(own.map((value, index) => value / (others[index] ?? Number.NaN)))
  return { ...base, ratio: ratios.median, atMost, verdict: judgeRatio(ratios, atMost, spreadOf(others)) }
}

function render({ variant, cpuUs, ratio, atMost, verdict }: Line): string {
  const said = ratio === null ? '' : `${ratio.toFixed(2)} x`
  const limit = atMost === null ? '' : `<= ${atMost}`
  const columns = [
    variant.padEnd(60),
    `${cpuUs.toFixed(2)} us`.padStart(12),
    said.padStart(9),
    limit.padStart(8),
  ]
  return [...columns, verdict ?? ''].join(' ').trimEnd()
}

const wires = await load()
const variants = [...requests(wires), ...answers(wires), ...streams(wires)]
const samples = new Map<string, number[]>(variants.map(({ name }) => [name, []]))
// The first rounds are V8 still optimising.
for (let round = -3; round < ROUNDS; round += 1) {
  for (const variant of variants) {
    const value = measured(variant)
    if (round >= 0) samples.get(variant.name)?.push(value)
  }
}
const lines = variants.map((variant) => lineOf(variant, samples))
process.stdout.write(`${lines.map(render).join('\n')}\n`)
mkdirSync(RESULTS, { recursive: true })
writeFileSync(`${RESULTS}translation.json`, `${JSON.stringify({ node: process.version, lines }, null, 2)}\n`)
process.exitCode = lines.some(({ verdict }) => verdict !== null && verdict !== 'pass') ? 1 : 0
