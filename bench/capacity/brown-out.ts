// One of two deployments becomes ten times slower for half a minute: do tasks notice, and what does it cost
// not to let them? Short answers, because one that has begun to reach its reader cannot be moved.

import { MIX, type Mix, poisson } from './arrivals.js'
import { type Result, type Window, percentile, within } from './judge.js'
import { seeded } from './randomness.js'
import { type Report, atMost, atMostShare, number, percent } from './report.js'
import { MODEL_SERVER, type Setting, capacityFor, jobFor, pause } from './setting.js'
import { type SystemKind, startSystem } from './systems.js'
import { startUpstream, usedBetween } from './upstream-control.js'

const SHORT: Mix = { ...MIX, promptTokens: 100, outputTokens: 8, critical: 1, sheddablePlus: 0 }
/** Of both deployments together: one alone can carry it. */
const LOAD = 0.3
const SLOW_DOWN = 10
const WARM_UP_MS = 10_000
const BROWN_OUT_MS = 30_000
const AFTER_MS = 10_000

interface Round {
  readonly system: string
  readonly normalP99: number
  readonly brownOutP99: number
  readonly normalP50: number
  readonly brownOutP50: number
  readonly failed: number
  /** Computed upstream and thrown away, of what reached users who asked during the brown-out. */
  readonly extraWork: number
  readonly shareOfSlow: number
}

/** An answer that never came is the slowest of all. */
function totalsOf(results: readonly Result[], window: Window): readonly number[] {
  return within(results, window).map(({ end, totalMs }) => (end === 'answered' ? totalMs : Infinity))
}

function usefulTokens(results: readonly Result[]): number {
  const answered = results.filter(({ end }) => end === 'answered')
  return answered.reduce((sum, { promptTokens, tokens }) => sum + promptTokens + tokens, 0)
}

async function runRound(setting: Setting, kind: SystemKind): Promise<Round> {
  const { cores, load } = setting
  await using upstream = await startUpstream({ cores: cores.others, deployments: 2, model: MODEL_SERVER })
  await using system = await startSystem({ kind, cores: cores.gateway, upstreams: upstream.urls })
  const normal = { fromMs: WARM_UP_MS, toMs: WARM_UP_MS + Math.min(BROWN_OUT_MS, setting.seconds * 1_000) }
  const brownOut = { fromMs: normal.toMs, toMs: normal.toMs + BROWN_OUT_MS }
  const toMs = brownOut.toMs + AFTER_MS
  const rate = { perSecond: 2 * LOAD * capacityFor(SHORT), fromMs: 0, toMs }
  const before = await upstream.stats()
  const running = load.run(jobFor(system.url, poisson(rate, SHORT, seeded(5)), toMs))
  await pause(brownOut.fromMs)
  await upstream.turn({ deployment: 0, slowDown: SLOW_DOWN })
  const onset = await upstream.stats()
  await pause(BROWN_OUT_MS)
  const end = await upstream.stats()
  await upstream.turn({ deployment: 0, slowDown: 1 })
  const results = await running
  const used = usedBetween(before, await upstream.stats())
  const [slow, all] = [usedBetween(onset.slice(0, 1), end.slice(0, 1)), usedBetween(onset, end)]
  const [usual, browned] = [totalsOf(results, normal), totalsOf(results, brownOut)]
  setting.say(
    `${kind.name}: p99 ${number(percentile(usual, 0.99))} -> ${number(percentile(browned, 0.99))} ms`,
  )
  return {
    system: kind.name,
    normalP99: percentile(usual, 0.99),
    brownOutP99: percentile(browned, 0.99),
    normalP50: percentile(usual, 0.5),
    brownOutP50: percentile(browned, 0.5),
    failed: results.filter((result) => result.end !== 'answered').length,
    extraWork: (used.tokens - usefulTokens(results)) / usefulTokens(within(results, brownOut)),
    shareOfSlow: slow.requests / all.requests,
  }
}

export async function runBrownOut(setting: Setting): Promise<Report> {
  const rounds: Round[] = []
  // The bare pass-through knows one deployment only.
  for (const kind of [setting.spillway, ...setting.beside.filter(({ main }) => main !== null)]) {
    rounds.push(await runRound(setting, kind))
  }
  const [own] = rounds
  if (own === undefined) throw new Error('nothing was run')
  const head = ['system', 'p50 ms', 'browned', 'p99 ms', 'browned', 'failed', 'extra work', 'to the slow one']
  const rowOf = (round: Round): readonly string[] => [
    round.system,
    number(round.normalP50),
    number(round.brownOutP50),
    number(round.normalP99),
    number(round.brownOutP99),
    number(round.failed),
    percent(round.extraWork, 1),
    percent(round.shareOfSlow),
  ]
  const factor = { target: 1.5, unit: 'x', digits: 2 }
  return {
    scenario: 'brown-out',
    tables: [{ title: 'one of two deployments 10x slower for 30 s', head, rows: rounds.map(rowOf) }],
    checks: [
      atMost('task p99 during the brown-out, of the normal one', own.brownOutP99 / own.normalP99, factor),
      atMostShare('work upstream that reached nobody', own.extraWork, 0.05),
    ],
    notes: [],
    figures: { rounds },
  }
}
