// `npm run bench:capacity`: what Spillway does when there is more to do than can be done. Gateway, simulated
// provider and load generator are processes of their own.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { chooseCores } from '../processes.js'
import { runAffinityScenario } from './affinity-scenario.js'
import { parseTrace } from './arrivals.js'
import { runBrownOut } from './brown-out.js'
import { runFairness } from './fairness.js'
import { startLoad } from './load.js'
import { type CapacityOptions, type ScenarioName, USAGE, parseCapacityOptions } from './options.js'
import { runOverload } from './overload.js'
import { type Report, renderReport } from './report.js'
import type { Setting } from './setting.js'
import { runStageCost } from './stage-cost.js'
import { BARE_PROXY, besideKind, spillwayKind } from './systems.js'

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const RUN: Readonly<Record<ScenarioName, (setting: Setting) => Promise<Report>>> = {
  overload: runOverload,
  fairness: runFairness,
  'brown-out': runBrownOut,
  'stage-cost': runStageCost,
  affinity: runAffinityScenario,
}

function save(options: CapacityOptions, reports: readonly Report[]): void {
  mkdirSync(RESULTS, { recursive: true })
  const at = new Date().toISOString()
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
  const file = `${RESULTS}capacity-${at.replaceAll(/[:.]/g, '-')}.json`
  writeFileSync(file, `${JSON.stringify({ at, machine, options, reports }, null, 2)}\n`)
  say(`written: ${file}`)
}

async function main(options: CapacityOptions): Promise<boolean> {
  const cores = chooseCores()
  const trace = options.trace === null ? null : parseTrace(readFileSync(options.trace, 'utf8'))
  const others = options.beside === null ? [BARE_PROXY] : [BARE_PROXY, besideKind(options.beside)]
  const beside = options.alone ? [] : others
  const spillway = spillwayKind(options.concurrency)
  await using load = startLoad(cores.others)
  const { seconds, conversations } = options
  const setting: Setting = { cores, load, seconds, trace, conversations, spillway, beside, say }
  const reports: Report[] = []
  for (const name of options.scenarios) {
    const report = await RUN[name](setting)
    process.stdout.write(`${renderReport(report)}\n\n`)
    reports.push(report)
  }
  save(options, reports)
  return reports.every(({ checks }) => checks.every(({ isMet }) => isMet))
}

const parsed = parseCapacityOptions(process.argv.slice(2), process.env)
if (parsed.kind === 'invalid') {
  say(`${parsed.message}\n${USAGE}`)
  process.exitCode = 2
} else {
  process.exitCode = (await main(parsed.options)) ? 0 : 1
}
