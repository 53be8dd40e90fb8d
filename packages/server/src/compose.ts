// The only file that knows everybody: configuration, ports, engine and server are put together here.

import { Webhooks } from './adapters/alerts/webhooks.js'
import { createDependencySender } from './adapters/dependencies/http-dependency.js'
import { ProviderPools } from './adapters/providers/provider-pools.js'
import { type Store, openStore } from './adapters/store/open-store.js'
import { createLiveSystem } from './adapters/system/live-system.js'
import { EntryLog } from './adapters/telemetry/log-entries.js'
import type { Logger } from './adapters/telemetry/logs.js'
import { createMetrics } from './adapters/telemetry/metrics.js'
import { type SpanExporter, startSpanExporter } from './adapters/telemetry/otlp.js'
import { loadRelease } from './compose/load-release.js'
import type { ConfigSource } from './config/find-config.js'
import type { Environment } from './config/environment.js'
import { MemoryLedger } from './core/budget/memory-ledger.js'
import type { Problem } from './core/parsed.js'
import type { Release } from './core/release/release.js'
import { servedDeployments } from './core/release/served-deployment.js'
import { PermitTable } from './engine/dependency/permit-table.js'
import { AnswerMemory } from './engine/answer-memory.js'
import { restorePins, watchBreakers } from './engine/capacity/breaker-events.js'
import { Capacity } from './engine/capacity/capacity.js'
import { CEILING_PREFIXES, Ceilings } from './engine/ceilings.js'
import { type Engine, PremiumCounters, record } from './engine/engine.js'
import { watchOverload } from './engine/overload-events.js'
import { watchSlos } from './engine/slo-alerts.js'
import { SloWatch } from './engine/slo-watch.js'
import { sweepExpired } from './engine/outcome.js'
import type { System } from './engine/ports.js'
import { TaskRegistry } from './engine/task-registry.js'
import { type Authenticator, createAuthenticator } from './http/authenticate.js'
import { Idempotency } from './http/idempotency.js'
import { queuesJson } from './http/queues-json.js'
import { type Server, startServer } from './http/server.js'

export interface SpillwayOptions {
  readonly config: ConfigSource
  readonly env: Environment
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly logger: Logger
}

export interface Spillway {
  readonly url: string
  readonly store: Store
  release(): Release
  /** Swaps the release when the new configuration is valid, else keeps the one that serves and says why. */
  reload(config: ConfigSource, env: Environment): readonly Problem[]
  close(graceMs: number): Promise<void>
}

export type Started =
  | { readonly kind: 'started'; readonly spillway: Spillway }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

const DRAIN_CHECK_MS = 5_000
const PRUNE_MS = 600_000
/** Soon after the start, so that a server that is restarted every few minutes forgets in time, too. */
const FIRST_PRUNE_MS = 5_000

export async function startSpillway(options: SpillwayOptions): Promise<Started> {
  const system = createLiveSystem()
  const first = loadRelease(options.config, options.env, system)
  if (first.kind === 'invalid') return first
  const pools = new ProviderPools(system)
  const unmade = provisionProblem(pools, first.value)
  if (unmade !== null) return { kind: 'invalid', problems: [unmade] }
  const store = await openStore({
    dir: options.dataDir,
    system,
    onProblem: (problem) => options.logger.error('store', { problem }),
  })
  const spans = startSpanExporter(options.env, options.logger)
  const running = new Running({ options, system, pools, store, spans, release: first.value })
  await running.listen()
  return { kind: 'started', spillway: running }
}

/** A provider that cannot be made (a header that cannot be sent, a model file that is not there), or null. */
function provisionProblem(pools: ProviderPools, release: Release): Problem | null {
  try {
    pools.provision(release)
    return null
  } catch (error) {
    return { at: release.source, message: error instanceof Error ? error.message : String(error) }
  }
}

/** The books know a release by its id: what its deployments are is written down when it begins to serve. */
function recordServed(engine: Engine): void {
  const release = engine.release()
  record(engine, {
    kind: 'release-served',
    atMs: engine.system.nowMs(),
    release: release.id,
    deployments: servedDeployments(release),
  })
}

interface Parts {
  readonly options: SpillwayOptions
  readonly system: System
  readonly pools: ProviderPools
  readonly store: Store
  readonly spans: SpanExporter | null
  readonly release: Release
}

class Running implements Spillway {
  readonly #parts: Parts
  readonly #metrics = createMetrics()
  #release: Release
  #authenticator: Authenticator
  #server: Server | null = null
  #isStopping = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#release = parts.release
    this.#authenticator = this.#authenticatorOf(parts.release)
  }

  get url(): string {
    return this.#server?.url ?? ''
  }

  get store(): Store {
    return this.#parts.store
  }

  release(): Release {
    return this.#release
  }

  async listen(): Promise<void> {
    const { options, system, store } = this.#parts
    const engine = await this.#createEngine()
    recordServed(engine)
    await restorePins(engine)
    watchBreakers(engine)
    const authenticator = () => this.#authenticator
    const idempotency = new Idempotency(system)
    this.#server = await startServer({
      host: options.host,
      port: options.port,
      data: { engine, authenticator, idempotency },
      control: {
        engine,
        authenticator,
        idempotency,
        metrics: () => this.#metricsText(engine),
        unready: () =>
          this.#isStopping ? 'stopping' : store.failed === null ? null : 'the books cannot be written',
      },
      onFault: (error) =>
        options.logger.error('fault', { error: error instanceof Error ? error.stack : String(error) }),
    })
    sweepExpired(engine)
    watchOverload(engine)
    // Nobody waits for it: alerts of the first seconds see less.
    void engine.slo
      .restore(store, system.nowMs())
      .catch((error: unknown) => options.logger.error('slo', { problem: String(error) }))
      .then(() => watchSlos(engine))
    this.#pruneLater(system, FIRST_PRUNE_MS)
  }

  reload(config: ConfigSource, env: Environment): readonly Problem[] {
    const { system, pools, options } = this.#parts
    const next = loadRelease(config, env, system)
    if (next.kind === 'invalid') return next.problems
    const before = this.#release
    if (next.value.id === before.id) return []
    const problem = provisionProblem(pools, next.value)
    if (problem !== null) return [problem]
    this.#release = next.value
    if (this.#engine !== null) recordServed(this.#engine)
    this.#authenticator = this.#authenticatorOf(next.value)
    this.#retireLater(before)
    options.logger.info('release', { serves: next.value.id, before: before.id })
    return []
  }

  async close(graceMs: number): Promise<void> {
    this.#isStopping = true
    await this.#server?.close(graceMs)
    await this.#parts.store.close()
    await this.#parts.spans?.close()
    await this.#parts.pools.close()
  }

  async #createEngine(): Promise<Engine> {
    const { system, store, pools, spans, options } = this.#parts
    const log = new EntryLog(options.logger, system)
    const ledger = new MemoryLedger()
    const restored = await store.accountTotals(CEILING_PREFIXES)
    const metrics = this.#metrics
    const webhooks = new Webhooks({
      system,
      webhooks: () => this.#release.alerts,
      onLost: (host, why) => options.logger.error('webhook', { host, problem: why }),
    })
    this.#engine = {
      system,
      ledger,
      books: store,
      archive: store,
      tasks: new TaskRegistry(),
      capacity: new Capacity(system),
      ceilings: new Ceilings(ledger, restored),
      answers: new AnswerMemory((text) => system.sha256(text)),
      bytesPerToken: new Map(),
      premiumShare: new PremiumCounters(),
      slo: new SloWatch(),
      permits: new PermitTable(),
      sendToDependency: createDependencySender(system),
      release: () => this.#release,
      provider: (release, name) => pools.get(release, name),
      observe(entry) {
        metrics.observe(entry)
        spans?.observe(entry)
        log.observe(entry)
        webhooks.observe(entry)
      },
    }
    return this.#engine
  }

  #engine: Engine | null = null

  #authenticatorOf(release: Release): Authenticator {
    return createAuthenticator(release, (text) => this.#parts.system.sha256(text))
  }

  async #metricsText(engine: Engine) {
    const { store, spans, options } = this.#parts
    const stats = store.stats()
    const states = engine.capacity.snapshot()
    this.#metrics.setInFlight(states.reduce((sum, { inFlight }) => sum + inFlight, 0))
    for (const { id, pace } of states) {
      const { limitTokens, tokensInFlight } = pace.limit
      this.#metrics.setPace(id, { tokensLimit: limitTokens, tokensInFlight })
    }
    this.#metrics.setJournal({
      pendingBytes: stats.behindBytes,
      openHolds: stats.openHolds,
      lostEntries: stats.lostEntries,
      failed: store.failed !== null,
    })
    this.#metrics.setCapacity(engine.capacity, this.#release, this.#parts.system.nowMs())
    this.#metrics.setQueues(queuesJson(engine))
    this.#metrics.setSlo(engine.slo.states(this.#release, this.#parts.system.nowMs()))
    this.#metrics.setDropped('logs', options.logger.dropped)
    if (spans !== null) this.#metrics.setDropped('traces', spans.dropped())
    return { contentType: this.#metrics.contentType, text: await this.#metrics.text() }
  }

  /** The old release's providers stay until its last task has ended. */
  #retireLater(release: Release): void {
    const { system, pools } = this.#parts
    system.after(DRAIN_CHECK_MS, () => {
      if (this.#release.id === release.id) return
      if (this.#engine?.tasks.hasRelease(release.id) === true) this.#retireLater(release)
      else void pools.retire(release.id)
    })
  }

  #pruneLater(system: System, delayMs: number): void {
    system.after(delayMs, () => {
      void this.#parts.store.prune(system.nowMs()).finally(() => this.#pruneLater(system, PRUNE_MS))
    })
  }
}
