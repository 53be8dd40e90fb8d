// `npm run bench:translation`: what crossing formats costs, in CPU of this process and with no sockets: whole
// bodies, and one frame of a stream next to the same frame passed through. Variants alternate within each
// round, so that what the machine did to one it did to all.

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CallerWire } from '../packages/server/src/core/release/release.js'
import type { WireFormat } from '../packages/server/src/wire/format.js'
import type { droppedHints as DroppedHints } from '../packages/server/src/wire/dropped-hints.js'
import type { scannerBetween as ScannerBetween } from '../packages/server/src/wire/translate-stream.js'
import { type Verdict, intervalOf, judgeRatio, median, spreadOf } from './statistics.js'
import { type Measured, BODIES, FRAMES, answerIn } from './translation-bodies.js'

const BUILT = '../../packages/server/dist/wire/'
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))
const ROUNDS = 15
const BATCH = 200
const STREAM_FRAMES = 200
const REQUEST_TARGET_US = 150
const FRAME_TARGET = 2

interface Wires {
  readonly formatOf: (wire: CallerWire) => WireFormat
  readonly droppedHints: typeof DroppedHints
  readonly scannerBetween: typeof ScannerBetween
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
  const parts = await Promise.all(['formats.js', 'dropped-hints.js', 'translate-stream.js'].map(from))
  return Object.assign({}, ...parts) as Wires
}

const PAIRS: readonly (readonly [Measured, Measured])[] = [
  ['openai-chat', 'anthropic-messages'],
  ['anthropic-messages', 'openai-chat'],
]

/** As an attempt does it: parsed, decoded, encoded, hints told, written. */
function requests(wires: Wires): readonly Variant[] {
  return PAIRS.map(([from, to]) => {
    const json = JSON.stringify(BODIES[from])
    return {
      name: `request ${from} -> ${to}, ${Math.round(json.length / 1_024)} KB`,
      units: 1,
      target: { kind: 'us', atMost: REQUEST_TARGET_US },
      run: () => {
        const body: unknown = JSON.parse(json)
        const request = wires.formatOf(from).decodeRequest(body)
        if (request.kind === 'invalid') throw new Error(JSON.stringify(request.problems))
        const encoded = wires.formatOf(to).encodeRequest(request.value)
        if (encoded.kind === 'invalid') throw new Error(JSON.stringify(encoded.problems))
        wires.droppedHints({ body, request: request.value, from, to })
        Buffer.from(JSON.stringify(encoded.value))
      },
    }
  })
}

function answers(wires: Wires): readonly Variant[] {
  return PAIRS.map(([to, from]) => {
    const json = JSON.stringify(answerIn(wires.formatOf(from)))
    return {
      name: `answer ${from} -> ${to}, ${Math.round(json.length / 1_024)} KB`,
      units: 1,
      target: null,
      run: () => {
        const answer = wires.formatOf(from).decodeAnswer(JSON.parse(json))
        if (answer === null) throw new Error('not an answer')
        Buffer.from(JSON.stringify(wires.formatOf(to).encodeAnswer(answer, 1)))
      },
    }
  })
}

function streams(wires: Wires): readonly Variant[] {
  return PAIRS.flatMap(([from, to]) =>
    (['text', 'arguments'] as const).flatMap((kind) => {
      const { start, delta } = FRAMES[from][kind]
      const passed = `${from}, a frame of ${kind}, passed`
      const variant = (name: string, wire: CallerWire, target: Variant['target']): Variant => ({
        name,
        units: STREAM_FRAMES,
        target,
        run: () => {
          const options = {
            from,
            to: wire,
            model: 'm',
            answerId: 'a',
            createdSeconds: 1,
            estimatedInputTokens: 9,
          }
          const keep = { keepUsage: true, keepLogprobs: false, collect: false }
          const scanner = wires.scannerBetween({ ...options, ...keep })
          for (const frame of start) scanner.push(frame)
          for (let index = 0; index < STREAM_FRAMES; index += 1) scanner.push(delta(index))
        },
      })
      const ratio = { kind: 'ratio', to: passed, atMost: FRAME_TARGET } as const
      return [variant(passed, from, null), variant(`${from} -> ${to}, a frame of ${kind}`, to, ratio)]
    }),
  )
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
