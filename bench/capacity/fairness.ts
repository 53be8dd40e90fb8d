// Tenants of equal weight: do two that ask for more than there is get the same, and does one that floods the
// gateway move what another one sees?

import { type Arrival, MIX, type Mix, inOrder, poisson } from './arrivals.js'
import { type Judged, type Result, type Window, judge, percentile, serviceOf, within } from './judge.js'
import { seeded } from './randomness.js'
import { type Report, atMostShare, number, percent } from './report.js'
import { CAPACITY_PER_SECOND, MODEL_SERVER, type Setting, capacityFor, jobFor, pause } from './setting.js'
import { type SystemKind, startSystem } from './systems.js'
import { startUpstream } from './upstream-control.js'

const LEARNING_MS = 20_000
const LEARNING_LOAD = 1
const WARM_UP_MS = 10_000
const REST_MS = 2_000

/** Different requests, so that the same service is not the same count. All of one class: only fairness decides. */
const SHORT: Mix = { ...MIX, tenant: 'first', outputTokens: 20, critical: 1, sheddablePlus: 0 }
const LONG: Mix = { ...MIX, tenant: 'second', outputTokens: 40, critical: 1, sheddablePlus: 0 }
/** Each alone asks for more than the provider has. */
const SHORT_LOAD = 2.5
const LONG_LOAD = 1.2

const STEADY: Mix = { ...MIX, tenant: 'second', critical: 1, sheddablePlus: 0 }
const OTHER: Mix = { ...MIX, tenant: 'first', critical: 1, sheddablePlus: 0 }
const STEADY_LOAD = 0.25
/** It takes all that is left, so the provider is as busy as in the flood: what changes is the flood's own. */
const OTHER_LOAD = 1
const FLOOD_LOAD = 4

interface Round {
  readonly system: string
  readonly service: { readonly first: number; readonly second: number }
  /** How their requests ended, while both were backlogged. */
  readonly backlogged: { readonly first: Judged; readonly second: Judged }
  readonly normal: Seen
  readonly flooded: Seen
}

/** What the steady tenant saw. */
interface Seen {
  readonly p95: number
  readonly good: number
  readonly ends: Judged['ends']
}

/** An answer that never came is the slowest of all. */
function p95Of(results: readonly Result[], tenant: string, window: Window): number {
  const own = within(results, window).filter((result) => result.tenant === tenant)
  return percentile(
    own.map(({ end, totalMs }) => (end === 'answered' ? totalMs : Infinity)),
    0.95,
  )
}

function steadyOf(results: readonly Result[], window: Window): Seen {
  const { goodShare, ends } = judge(
    results.filter(({ tenant }) => tenant === STEADY.tenant),
    window,
  )
  return { p95: p95Of(results, STEADY.tenant, window), good: goodShare, ends }
}

async function runRound(setting: Setting, kind: SystemKind): Promise<Round> {
  const { cores, load } = setting
  await using upstream = await startUpstream({ cores: cores.others, deployments: 1, model: MODEL_SERVER })
  await using system = await startSystem({ kind, cores: cores.gateway, upstreams: upstream.urls })
  const toMs = WARM_UP_MS + setting.seconds * 1_000
  const window = { fromMs: WARM_UP_MS, toMs }
  const arrivalsFor = (mix: Mix, perSecond: number, seed: number): readonly Arrival[] =>
    poisson({ perSecond, fromMs: 0, toMs }, mix, seeded(seed))
  const run = async (...lists: readonly (readonly Arrival[])[]): Promise<readonly Result[]> => {
    const results = await load.run(jobFor(system.url, inOrder(...lists), toMs))
    await upstream.turn({ deployment: null, drop: true })
    await pause(REST_MS)
    return results
  }
  // A gateway that has served for a while: what the provider can do is known.
  await run(
    poisson(
      { perSecond: LEARNING_LOAD * CAPACITY_PER_SECOND, fromMs: 0, toMs: LEARNING_MS },
      OTHER,
      seeded(6),
    ),
  )
  const backlogged = await run(
    arrivalsFor(SHORT, SHORT_LOAD * capacityFor(SHORT), 1),
    arrivalsFor(LONG, LONG_LOAD * capacityFor(LONG), 2),
  )
  const service = {
    first: serviceOf(backlogged, SHORT.tenant, window),
    second: serviceOf(backlogged, LONG.tenant, window),
  }
  const steady = arrivalsFor(STEADY, STEADY_LOAD * CAPACITY_PER_SECOND, 3)
  const normal = await run(steady, arrivalsFor(OTHER, OTHER_LOAD * CAPACITY_PER_SECOND, 4))
  const flooded = await run(steady, arrivalsFor(OTHER, FLOOD_LOAD * CAPACITY_PER_SECOND, 5))
  const ofTenant = (tenant: string): Judged =>
    judge(
      backlogged.filter((result) => result.tenant === tenant),
      window,
    )
  setting.say(`${kind.name}: service ${service.first} and ${service.second} tokens`)
  const round = { normal: steadyOf(normal, window), flooded: steadyOf(flooded, window) }
  const both = { first: ofTenant(SHORT.tenant), second: ofTenant(LONG.tenant) }
  return { system: kind.name, service, backlogged: both, ...round }
}

const differenceOf = ({ service: { first, second } }: Round): number =>
  Math.abs(first - second) / Math.min(first, second)

const movedBy = ({ normal, flooded }: Round): number => flooded.p95 / normal.p95 - 1

export async function runFairness(setting: Setting): Promise<Report> {
  const rounds: Round[] = []
  for (const kind of [setting.spillway, ...setting.beside]) rounds.push(await runRound(setting, kind))
  const [own] = rounds
  if (own === undefined) throw new Error('nothing was run')
  const rowOf = (round: Round): readonly string[] => [
    round.system,
    number(round.service.first),
    number(round.service.second),
    percent(differenceOf(round)),
    number(round.normal.p95),
    number(round.flooded.p95),
    percent(movedBy(round)),
    percent(round.normal.good),
    percent(round.flooded.good),
  ]
  const head = [
    'system',
    'first, tokens',
    'second',
    'differ',
    'p95 ms',
    'flooded',
    'moved',
    'good',
    'flooded',
  ]
  return {
    scenario: 'fairness',
    tables: [{ title: 'two backlogged tenants; one tenant beside a flood', head, rows: rounds.map(rowOf) }],
    checks: [
      atMostShare('service of two backlogged tenants differs by', differenceOf(own), 0.1),
      atMostShare("a flood moves another tenant's p95 by", movedBy(own), 0.1),
    ],
    notes: [],
    figures: { rounds },
  }
}
