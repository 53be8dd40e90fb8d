// The invariants that hold between any two events, and those of a server that has come to rest.

import type { Demand } from '../../core/capacity/demand.js'
import { type Amounts, NOTHING, RESOURCES } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import type { Entry } from '../../core/task/records.js'
import type { World } from './world.js'

/** After every event. */
export function checkMoment(world: World): void {
  checkInFlight(world)
  checkHolds(world)
  checkQueues(world)
}

/** Nobody waits for what is free, unless those who wait cannot use it. */
function checkQueues({ queues, clock, scenario, log }: World): void {
  const isParticular = scenario.reloads.length > 0 || scenario.faults.some(({ kind }) => AVOIDED.has(kind))
  const problem = isParticular ? null : queues.problem(clock.passedMs)
  if (problem !== null) log.fail(problem)
}

/** Faults after which a call does not go to the same deployment again. */
const AVOIDED: ReadonlySet<string> = new Set(['401', '404'])

function checkInFlight({ engine, servers, scenario, log }: World): void {
  for (const { id, inFlight } of engine.capacity.snapshot()) {
    const live = liveAt(servers, id)
    // A settlement that takes its time keeps the place until it is made.
    const isRight = scenario.ledgerMs === 0 ? inFlight === live : inFlight >= live
    if (!isRight) log.fail(`${id} counts ${inFlight} in flight, ${live} are`)
  }
}

function liveAt(servers: World['servers'], deployment: string): number {
  const slash = deployment.indexOf('/')
  const server = servers.get(deployment.slice(0, slash))
  const model = deployment.slice(slash + 1)
  let live = 0
  for (const { request } of server?.live ?? []) if (request.model === model) live += 1
  return live
}

function checkHolds({ ledger, engine, log, running }: World): void {
  const { openHolds } = ledger
  if (openHolds.size > 0 && running === 0)
    log.fail(`${openHolds.size} holds are open, and no call is running`)
  for (const [id, { accounts }] of openHolds) {
    const task = engine.tasks.get((accounts[0] ?? '').slice('task:'.length) as TaskId)
    if (task === undefined || task.running < 1) log.fail(`${id} belongs to no call that is running`)
  }
}

/** When nothing is left to do. */
export function checkRest(world: World): void {
  const { log, ledger, engine, servers, police } = world
  if (world.queues.waiting > 0) log.fail(`${world.queues.waiting} calls wait at rest`)
  for (const [name, { live }] of servers)
    if (live.size > 0) log.fail(`${live.size} requests run on at ${name}`)
  for (const resource of RESOURCES) {
    const held = ledger.inner.heldTotal()[resource]
    if (held !== 0) log.fail(`${held} ${resource} are held at rest`)
  }
  for (const { id, inFlight, requests } of engine.capacity.snapshot()) {
    const sends = police.sendsTo(id)
    if (inFlight !== 0) log.fail(`${inFlight} in flight at ${id} at rest`)
    if (requests !== sends) log.fail(`${id} counts ${requests} requests, ${sends} were sent`)
  }
  for (const id of police.unsettled()) log.fail(`${id} was never settled in the books`)
  checkHedges(world)
  checkTasks(world)
  checkBooks(world)
  checkSteps(world)
}

/** A second copy for one call in so many, at most. */
const CALLS_PER_HEDGE = 50

function checkHedges({ books, log }: World): void {
  let hedges = 0
  let others = 0
  for (const entry of books.entries) {
    if (entry.kind !== 'hold-made') continue
    if (entry.attempt.purpose === 'hedge') hedges += 1
    else others += 1
  }
  if (hedges * CALLS_PER_HEDGE > others) log.fail(`${hedges} second copies were sent of ${others} calls`)
}

function checkTasks({ engine, tasks, log }: World): void {
  const open = new Set([...tasks.values()].map(({ id }) => id))
  for (const task of tasks.values())
    if (task.running !== 0) log.fail(`${task.running} calls run in ${task.id}`)
  const known = [...tasks.values()].filter(({ id }) => engine.tasks.get(id) !== undefined).length
  if (engine.tasks.size !== known) log.fail(`${engine.tasks.size} tasks are kept, ${open.size} were opened`)
}

/** What the books say was spent is what the ledger says. */
function checkBooks({ books, ledger, log }: World): void {
  const sums = new Map<string, number[]>()
  for (const entry of books.entries) {
    const spent = spentIn(entry)
    for (const account of spent?.accounts ?? []) {
      const sum = sums.get(account) ?? RESOURCES.map(() => 0)
      sums.set(account, sum)
      for (const [index, resource] of RESOURCES.entries())
        sum[index] = (sum[index] ?? 0) + (spent?.actual[resource] ?? 0)
    }
  }
  for (const account of ledger.accountNames) {
    const settled = ledger.settledOf(account)
    const sum = sums.get(account) ?? RESOURCES.map(() => 0)
    for (const [index, resource] of RESOURCES.entries())
      if (settled !== null && settled[resource] !== sum[index])
        log.fail(`${account}: ${settled[resource]} ${resource} in the ledger, ${sum[index]} in the books`)
  }
}

/** By attempts, and by steps that the application ran itself. */
function spentIn(entry: Entry): { readonly accounts: readonly string[]; readonly actual: Amounts } | null {
  if (entry.kind === 'hold-settled') return entry
  if (entry.kind !== 'step-ended' || entry.accounts === undefined) return null
  const { accounts, step, toolMs, otherNanoUsd: nanoUsd } = entry
  return { accounts, actual: { ...NOTHING, toolCalls: step === 'tool' ? 1 : 0, toolMs, nanoUsd } }
}

/** Every attempt that was settled is told by exactly one step. */
function checkSteps({ books, log }: World): void {
  const told = new Map<string, number>()
  for (const entry of books.entries) {
    if (entry.kind !== 'step-ended') continue
    for (const { id } of entry.attempts) told.set(id, (told.get(id) ?? 0) + 1)
  }
  for (const entry of books.entries) {
    if (entry.kind !== 'hold-settled') continue
    const count = told.get(entry.attempt.id) ?? 0
    if (count !== 1) log.fail(`${entry.attempt.id} is told by ${count} steps`)
  }
}

/** The one timer that never ends: the sweep of tasks whose time is up. */
const KNOWN_TIMERS = 1

/** Longer than any pause that a simulated provider asks for, or that may follow from what it does, ms. */
const REST_MS_MAX = 600_000

/** Some time after rest: no timer is left, and everybody is let in again, everywhere. */
export function checkIdle(world: World): void {
  const { clock, log } = world
  if (clock.engineTimers > KNOWN_TIMERS) log.fail(`${clock.engineTimers} timers are left`)
  checkTenants(world)
  checkDeployments(world)
}

function checkTenants({ clock, log, engine, release }: World): void {
  const nowMs = clock.system.nowMs()
  for (const tenant of release.tenants.values()) {
    const { concurrency, tokensPerMinute } = tenant.limits
    const most = Math.min(concurrency ?? Infinity, release.product.concurrency ?? Infinity)
    if (most === Infinity || tokensPerMinute !== null) continue
    let admitted = 0
    while (admitted < most && engine.capacity.admit(tenant, release.product, nowMs).kind === 'admitted')
      admitted += 1
    for (let count = 0; count < admitted; count++) engine.capacity.leave(tenant)
    if (admitted < most) log.fail(`${tenant.name} may run ${admitted} calls at rest, not ${most}`)
  }
}

function checkDeployments({ clock, log, engine, release }: World): void {
  const nowMs = clock.system.nowMs()
  const size = { inputTokens: 10, outputTokens: 10, outputTokensMax: 20 }
  const whose = { tenant: 'nobody', weight: 1, criticality: 'critical', stream: false } as const
  const demand: Demand = { ...size, ...whose, deadlineMs: nowMs + REST_MS_MAX }
  for (const { deployments } of release.models.values())
    for (const deployment of deployments) {
      const taken = engine.capacity.take([deployment], demand, nowMs)
      if (taken.kind === 'place') engine.capacity.giveBack(taken.place)
      else if (taken.waitMs > REST_MS_MAX) log.fail(`${deployment.id} rests for ${taken.waitMs} ms more`)
    }
}
