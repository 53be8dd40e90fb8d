// More than the provider can serve: what is still good, what it costs upstream, who is turned away, and how
// soon all is well again. The same load against a gateway without controls, beside it.

import { cpuTime } from '../processes.js'
import { type Arrival, MIX, type Rate, inOrder, poisson, replayed } from './arrivals.js'
import { type Judged, type Result, judge, recoveryMs } from './judge.js'
import { seeded } from './randomness.js'
import { type Report, atLeast, atMost, number, percent } from './report.js'
import { CAPACITY_PER_SECOND, MODEL_SERVER, type Setting, jobFor, pause } from './setting.js'
import { type SystemKind, startSystem } from './systems.js'
import { type Upstream, startUpstream, usedBetween } from './upstream-control.js'

const LOADS = [0.5, 1, 1.5, 2, 3]
const WARM_UP_SHARE = 0.25
const WARM_UP_MS_MAX = 15_000
/** Between two levels. */
const REST_MS = 2_000

const BEFORE_MS = 20_000
/** What was asked just before the storm suffers from it. */
const BEFORE_STORM_MS = 6_000
const AFTER_MS = 25_000
const CALM_LOAD = 0.8
const STORM_LOAD = 3
const RECOVERED_SHARE = 0.95

type Source = 'poisson' | 'azure'

export interface Level {
  readonly system: string
  readonly source: Source
  readonly load: number
  readonly offeredPerSecond: number
  readonly judged: Judged
  /** Computed upstream per good answer, all requests of the level counted. */
  readonly tokensPerGood: number
  /** Requests that reached the provider per answer that reached a user. */
  readonly attemptsPerAnswer: number
  readonly upstreamTokensPerSecond: number
  readonly gatewayCpuShare: number
}

interface Running {
  readonly setting: Setting
  readonly kind: SystemKind
  readonly url: string
  readonly pid: number
  readonly upstream: Upstream
}

/** Learning what the provider can do is not judged. */
function judgedFromMs({ toMs }: Rate): number {
  return Math.min(WARM_UP_MS_MAX, WARM_UP_SHARE * toMs)
}

function arrivalsOf(setting: Setting, source: Source, rate: Rate): readonly Arrival[] {
  const random = seeded(Math.round(rate.perSecond * 1_000))
  if (source === 'poisson' || setting.trace === null) return poisson(rate, MIX, random)
  return replayed(setting.trace, { rate, mix: MIX, judgedFromMs: judgedFromMs(rate) }, random)
}

async function settle(upstream: Upstream): Promise<void> {
  await upstream.turn({ deployment: null, drop: true })
  await pause(REST_MS)
}

async function runLevel(running: Running, source: Source, load: number): Promise<Level> {
  const { setting, kind, url, pid, upstream } = running
  const toMs = setting.seconds * 1_000
  const rate = { perSecond: load * CAPACITY_PER_SECOND, fromMs: 0, toMs }
  const arrivals = arrivalsOf(setting, source, rate)
  const [before, cpuBefore, startedMs] = [await upstream.stats(), cpuTime(pid).all, performance.now()]
  const results = await setting.load.run(jobFor(url, arrivals, toMs))
  const cpuNs = cpuTime(pid).all - cpuBefore
  const used = usedBetween(before, await upstream.stats())
  const tookMs = performance.now() - startedMs
  const everything = judge(results, { fromMs: 0, toMs })
  const level: Level = {
    system: kind.name,
    source,
    load,
    offeredPerSecond: (arrivals.length / toMs) * 1_000,
    judged: judge(results, { fromMs: judgedFromMs(rate), toMs }),
    tokensPerGood: used.tokens / everything.good,
    attemptsPerAnswer: used.requests / everything.answered,
    upstreamTokensPerSecond: (used.tokens / tookMs) * 1_000,
    gatewayCpuShare: cpuNs / 1e6 / tookMs,
  }
  const { goodput, goodShare } = level.judged
  setting.say(`${kind.name} ${source} ${load}x: ${number(goodput, 1)} good/s (${percent(goodShare)})`)
  await settle(upstream)
  return level
}

export interface Recovery {
  readonly system: string
  readonly goodShareBefore: number
  readonly recoveryMs: number | null
}

async function runRecovery(running: Running): Promise<Recovery> {
  const { setting, kind, url, upstream } = running
  const stormMs = Math.max(15_000, (setting.seconds * 1_000) / 2)
  const fallMs = BEFORE_MS + stormMs
  const toMs = fallMs + AFTER_MS
  const calm = CALM_LOAD * CAPACITY_PER_SECOND
  const storm = STORM_LOAD * CAPACITY_PER_SECOND
  const phases: readonly Rate[] = [
    { perSecond: calm, fromMs: 0, toMs: BEFORE_MS },
    { perSecond: storm, fromMs: BEFORE_MS, toMs: fallMs },
    { perSecond: calm, fromMs: fallMs, toMs },
  ]
  const arrivals = inOrder(...phases.map((rate, index) => poisson(rate, MIX, seeded(100 + index))))
  const results: readonly Result[] = await setting.load.run(jobFor(url, arrivals, toMs))
  await settle(upstream)
  const { goodShare } = judge(results, { fromMs: BEFORE_MS / 4, toMs: BEFORE_MS - BEFORE_STORM_MS })
  const least = { share: RECOVERED_SHARE, wanted: goodShare }
  const took = recoveryMs(results, { fromMs: fallMs, toMs }, least)
  setting.say(`${kind.name} recovered after ${took === null ? 'never' : `${took} ms`}`)
  return { system: kind.name, goodShareBefore: goodShare, recoveryMs: took }
}

async function runSystem(
  setting: Setting,
  kind: SystemKind,
): Promise<{ readonly levels: readonly Level[]; readonly recovery: Recovery }> {
  const { cores } = setting
  await using upstream = await startUpstream({ cores: cores.others, deployments: 1, model: MODEL_SERVER })
  await using system = await startSystem({ kind, cores: cores.gateway, upstreams: upstream.urls })
  const running = { setting, kind, url: system.url, pid: system.pid, upstream }
  const sources: readonly Source[] = setting.trace === null ? ['poisson'] : ['poisson', 'azure']
  const levels: Level[] = []
  for (const source of sources) {
    for (const load of LOADS) levels.push(await runLevel(running, source, load))
  }
  return { levels, recovery: await runRecovery(running) }
}

function checksOf(levels: readonly Level[], source: Source): Report['checks'] {
  const own = levels.filter((level) => level.source === source)
  const peak = Math.max(...own.map(({ judged }) => judged.goodput))
  const at = (load: number): Level => {
    const level = own.find((each) => each.load === load)
    if (level === undefined) throw new Error(`no level of ${load}x`)
    return level
  }
  const [one, two, three] = [at(1), at(2), at(3)]
  const factor = { unit: 'x', digits: 2 }
  const attempts = Math.max(...own.map(({ attemptsPerAnswer }) => attemptsPerAnswer))
  const named = (what: string): string => `${source}: ${what}`
  return [
    atLeast(named('goodput at 2x, of the peak'), two.judged.goodput / peak, 0.95),
    atLeast(named('goodput at 3x, of the peak'), three.judged.goodput / peak, 0.9),
    atMost(named('upstream tokens per good answer, 2x over 1x'), two.tokensPerGood / one.tokensPerGood, {
      ...factor,
      target: 1.2,
    }),
    atMost(named('attempts per answer, worst level'), attempts, { ...factor, target: 1.1 }),
    atLeast(named('good answers to CRITICAL at 2x'), two.judged.goodShareOf.critical, 0.99),
    atLeast(named('good answers to CRITICAL at 3x'), three.judged.goodShareOf.critical, 0.99),
  ]
}

function rowOf({ system, source, load, judged, ...level }: Level): readonly string[] {
  const { firstTokenMs, tokenMs, goodShareOf, goodShare, goodput, tries, asked } = judged
  return [
    `${system} ${source} ${load}x`,
    number(level.offeredPerSecond, 1),
    number(goodput, 1),
    percent(goodShare),
    percent(goodShareOf.critical, 1),
    percent(goodShareOf.sheddable_plus),
    percent(goodShareOf.sheddable),
    number(firstTokenMs.p50),
    number(firstTokenMs.p95),
    number(tokenMs.p50),
    number(tokenMs.p95),
    number(level.tokensPerGood),
    number(level.attemptsPerAnswer, 2),
    number(tries / asked, 2),
    percent(level.gatewayCpuShare),
    number(judged.lateMsP99),
  ]
}

const HEAD = [
  'load',
  'offered/s',
  'good/s',
  'good',
  'critical',
  'shed. plus',
  'sheddable',
  'first ms p50',
  'p95',
  'token ms p50',
  'p95',
  'tokens/good',
  'attempts',
  'tries',
  'gateway CPU',
  'late ms p99',
]

export async function runOverload(setting: Setting): Promise<Report> {
  const own = await runSystem(setting, setting.spillway)
  const others = []
  for (const kind of setting.beside) others.push(await runSystem(setting, kind))
  const sources: readonly Source[] = setting.trace === null ? ['poisson'] : ['poisson', 'azure']
  const recoveries = [own, ...others].map(({ recovery }) => recovery)
  const levels = [own, ...others].flatMap((each) => each.levels)
  const limit = { target: 10, unit: 's', digits: 0 }
  const recovered = atMost('recovery after 3x', (own.recovery.recoveryMs ?? Infinity) / 1_000, limit)
  return {
    scenario: 'overload',
    tables: [
      { title: `1x = ${number(CAPACITY_PER_SECOND, 1)} answers/s`, head: HEAD, rows: levels.map(rowOf) },
      {
        title: 'back to 95 % after the load falls from 3x to 0.8x',
        head: ['system', 'good before', 'recovery s'],
        rows: recoveries.map((each) => [
          each.system,
          percent(each.goodShareBefore),
          number((each.recoveryMs ?? Infinity) / 1_000),
        ]),
      },
    ],
    checks: [...sources.flatMap((source) => checksOf(own.levels, source)), recovered],
    notes: setting.trace === null ? ['no trace: only Poisson arrivals, see --trace'] : [],
    figures: { levels, recoveries },
  }
}
