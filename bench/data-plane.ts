// `npm run bench`: what Spillway costs on the data plane, next to the least a Node gateway can cost. The
// gateway has a core to itself; load generator and upstream share the others. Variants alternate within each
// round.

import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Load, startLoad } from './load.js'
import { type Sample, measure } from './measure.js'
import { type BenchOptions, USAGE, parseOptions } from './options.js'
import { type Probe, parallel, soak, start } from './probes.js'
import { type Core, type Started, chooseCores, startProcess } from './processes.js'
import { chatJob } from './requests.js'
import { openCountedTask, spillwayIsBuilt, startSpillway } from './spillway-under-test.js'
import { renderSummary, summarise } from './summary.js'
import { type Gateways, type Variant, selectVariants, variantsOf } from './variants.js'

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

// Until then V8 is still optimising, and a first round would cost twice as much as the others.
const WARM_UP_REQUESTS = 10_000
const WARM_UP_STREAMS = 500

interface Setting {
  readonly cores: Core
  readonly upstream: Started
  readonly load: Load
}

function save(kind: string, content: Readonly<Record<string, unknown>>): void {
  mkdirSync(RESULTS, { recursive: true })
  const at = new Date().toISOString()
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
  const file = `${RESULTS}${kind}-${at.replaceAll(/[:.]/g, '-')}.json`
  writeFileSync(file, `${JSON.stringify({ at, machine, ...content }, null, 2)}\n`)
  say(`written: ${file}`)
}

async function exhaustedTask(spillway: Started, load: Load): Promise<string> {
  const task = await openCountedTask(spillway.url, 1)
  const headers = { 'x-spillway-task-id': task }
  const result = await load.run(
    chatJob(spillway.url, { model: 'counted', stream: false, requests: 1, headers }),
  )
  if (result.statuses['200'] !== 1) throw new Error(`the one call of the task: ${JSON.stringify(result)}`)
  return task
}

async function alternate(
  load: Load,
  variants: readonly Variant[],
  options: BenchOptions,
): Promise<readonly Sample[]> {
  for (const variant of variants) {
    say(`warming up ${variant.name}`)
    const requests = variant.name.endsWith('-sse') ? WARM_UP_STREAMS : WARM_UP_REQUESTS
    await measure(load, { ...variant, job: { ...variant.job, requests } }, -1)
  }
  const samples: Sample[] = []
  for (let round = 0; round < options.rounds; round += 1) {
    for (const variant of variants) samples.push(await measure(load, variant, round))
    say(`round ${round + 1} of ${options.rounds}`)
  }
  return samples
}

/** Starts what the chosen variants need: idle processes cost memory and blur the picture. */
async function startGateways(setting: Setting, only: readonly string[]): Promise<Gateways> {
  const { cores, upstream, load } = setting
  const scriptArguments = [upstream.url]
  const bare = await startProcess({ cores: cores.gateway, script: script('bare-proxy.js'), scriptArguments })
  const wants = (pattern: RegExp): boolean => only.length === 0 || only.some((name) => pattern.test(name))
  const spillwayWanted = wants(/^(spill|refus|otlp|json|sse)/)
  if (spillwayWanted && !spillwayIsBuilt()) say('Spillway is not built: only direct and bare are measured')
  if (!spillwayWanted || !spillwayIsBuilt()) {
    return { upstream, bare, spillway: null, exporting: null, exhaustedTask: null }
  }
  const place = { cores: cores.gateway, upstream: upstream.url }
  const spillway = await startSpillway(place)
  const otlpEndpoint = controlUrl(upstream)
  const exporting = wants(/otlp|^spill|json/) ? await startSpillway({ ...place, otlpEndpoint }) : null
  return { upstream, bare, spillway, exporting, exhaustedTask: await exhaustedTask(spillway, load) }
}

function controlUrl(upstream: Started): string {
  const line = upstream.lines.find((text) => text.startsWith('control on '))
  if (line === undefined) throw new Error('the upstream mock did not say where its control port is')
  return line.slice('control on '.length)
}

/** A run in which nothing was exported would make the export look free. */
async function checkExports(upstream: Started): Promise<void> {
  const response = await fetch(controlUrl(upstream))
  const { exports } = (await response.json()) as { readonly exports: number }
  if (exports === 0) throw new Error('spillway-otlp: not one export reached the sink')
}

async function compareAll(setting: Setting, options: BenchOptions): Promise<boolean> {
  const gateways = await startGateways(setting, options.only)
  try {
    const size = { json: options.jsonRequests, streams: options.streams }
    const variants = selectVariants(variantsOf(gateways, size), options.only)
    if (variants.length === 0) throw new Error(`no variant is called ${options.only.join(', ')}`)
    const samples = await alternate(setting.load, variants, options)
    if (variants.some(({ gateway }) => gateway === gateways.exporting && gateway !== null)) {
      await checkExports(setting.upstream)
    }
    const summary = summarise(variants, samples)
    process.stdout.write(`${renderSummary(summary)}\n`)
    save('data-plane', { options, summary, samples })
    return summary.verdict === 'pass'
  } finally {
    for (const started of [gateways.bare, gateways.spillway, gateways.exporting]) await started?.stop()
  }
}

async function runProbes(setting: Setting, options: BenchOptions): Promise<boolean> {
  const probes: Probe[] = []
  if (options.start) probes.push(await start(setting))
  if (options.parallel) probes.push(await parallel(setting))
  if (options.soak !== null) probes.push(await soak(setting, options.soak))
  for (const { name, figures, verdict } of probes) {
    process.stdout.write(`${name}: ${verdict}  ${JSON.stringify(figures)}\n`)
  }
  save('probes', { options, probes })
  return probes.every(({ verdict }) => verdict === 'pass')
}

async function main(options: BenchOptions): Promise<boolean> {
  const cores = chooseCores()
  await using upstream = await startProcess({ cores: cores.others, script: script('upstream-mock.js') })
  await using load = startLoad(cores.others)
  const setting = { cores, upstream, load }
  const probing = options.start || options.parallel || options.soak !== null
  return probing ? await runProbes(setting, options) : await compareAll(setting, options)
}

const parsed = parseOptions(process.argv.slice(2))
if (parsed.kind === 'invalid') {
  say(`${parsed.message}\n${USAGE}`)
  process.exitCode = 2
} else {
  process.exitCode = (await main(parsed.options)) ? 0 : 1
}
