// Asks every deployment one tiny question, to show who is reachable, authorised and has its model. Each is a
// task of one step on the usual path, held, paid by who asks and written into the books, under a contract of
// its own that no configuration can name: a probe is spent money like any other, and shows as what it is.

import { jsonBytes } from '../json-bytes.js'
import { NO_LIMITS } from '../../core/budget/amounts.js'
import type { Contract, Deployment, ModelEntry, Release, Tenant } from '../../core/release/release.js'
import type { AttemptRecord } from '../../core/task/records.js'
import { readError } from '../../wire/read-error.js'
import { formatOf } from '../../wire/formats.js'
import { type ToldLimits, readLimitHeaders, toldLimits } from '../../wire/rate-limit-headers.js'
import { callModel } from '../call-model.js'
import type { Engine } from '../engine.js'
import type { Caller, ProviderFacts } from '../ports.js'
import type { ModelCall } from '../step-context.js'
import { inspectProviders } from './inspect-providers.js'
import { type Listed, listedModel } from './listed-model.js'
import { Watch, watchedProvider } from './watched-provider.js'

export const PROBE_CONTRACT = 'spillway:probe'
const OUTPUT_TOKENS_MAX = 16
/** All of it: a wait for a place, for credentials, for the answer. */
const PROBE_MS_MAX = 15_000
const AT_ONCE = 8

export interface Probes {
  /** One per deployment, in the order of the configuration. */
  readonly deployments: readonly Probed[]
  /** What the providers told about themselves before they were called, by name. */
  readonly providers: ReadonlyMap<string, ProviderFacts>
}

export interface Probed extends Listed {
  readonly model: ModelEntry
  readonly deployment: Deployment
  readonly simulated: boolean
  readonly usable: boolean
  readonly reachable: boolean
  readonly authorised: boolean | null
  readonly modelKnown: boolean | null
  readonly status: number | null
  readonly end: string | null
  readonly reason: string | null
  readonly latencyMs: number | null
  readonly limits: ToldLimits | null
  readonly nanoUsd: number | null
}

/** A few at a time. The providers are asked first, so that their load is not that of the probe. */
export async function probeDeployments(engine: Engine, tenant: Tenant): Promise<Probes> {
  const providers = await inspectProviders(engine)
  const all = new Map<string, { readonly model: ModelEntry; readonly deployment: Deployment }>()
  for (const model of engine.release().models.values())
    for (const deployment of model.deployments)
      if (!all.has(deployment.id)) all.set(deployment.id, { model, deployment })
  const places = [...all.values()]
  const deployments: Probed[] = []
  for (let at = 0; at < places.length; at += AT_ONCE) {
    const some = places.slice(at, at + AT_ONCE).map(async (place) => {
      const { provider } = place.deployment
      const listed = listedModel(place.deployment, providers.get(provider)?.models ?? null)
      return { ...(await probe(engine, tenant, place)), ...listed }
    })
    deployments.push(...(await Promise.all(some)))
  }
  return { deployments, providers }
}

interface Place {
  readonly model: ModelEntry
  readonly deployment: Deployment
}

type Called = Omit<Probed, keyof Listed>

async function probe(engine: Engine, tenant: Tenant, place: Place): Promise<Called> {
  const watch = new Watch()
  const seen: { attempt: AttemptRecord | null } = { attempt: null }
  const release = releaseFor(engine.release(), place)
  const caller = new ProbingCaller()
  const watching: Engine = {
    ...engine,
    release: () => release,
    provider(of, name) {
      const provider = engine.provider(of, name)
      return provider === undefined ? undefined : watchedProvider(provider, watch, engine.system)
    },
    observe(entry) {
      if (entry.kind === 'hold-settled') seen.attempt = entry.attempt
      engine.observe(entry)
    },
  }
  let fault = false
  // The fault is told to the caller and to the books; one deployment's must not hide what the others show.
  await callModel(watching, callFor(engine, tenant, place), caller).catch(() => (fault = true))
  return judged(place, { watch, caller, attempt: seen.attempt, fault })
}

/** The release as if it had nothing but this deployment, and a contract that allows next to nothing. */
function releaseFor(release: Release, { model, deployment }: Place): Release {
  const only: ModelEntry = { ...model, deployments: [deployment] }
  const contract: Contract = {
    name: PROBE_CONTRACT,
    description: null,
    success: [],
    harm: [],
    slo: { p95LatencyMs: null, successRate: null },
    budget: {
      limits: { ...NO_LIMITS, modelCalls: 1, outputTokens: OUTPUT_TOKENS_MAX },
      latencyMs: PROBE_MS_MAX,
    },
    degrade: [],
    refineMessage: '',
    signals: {},
    route: { default: model.name, rules: [], premium: { maxShare: null, maxNanoUsdPerDay: null } },
    cache: { exactTtlMs: null, semantic: null, provider: 'off' },
    maxAttempts: 1,
    hedge: false,
    criticality: 'critical',
    record: 'metadata',
    retentionDays: 1,
    price: { nanoUsdPerSuccess: null },
  }
  return {
    ...release,
    models: new Map([[model.name, only]]),
    contracts: new Map([
      [PROBE_CONTRACT, contract],
      ['default', contract],
    ]),
  }
}

function callFor(engine: Engine, tenant: Tenant, { model, deployment }: Place): ModelCall {
  const wire = embedsOnly(deployment) ? 'openai-embeddings' : 'openai-chat'
  const json =
    wire === 'openai-embeddings'
      ? { model: model.name, input: 'ping' }
      : { model: model.name, messages: [{ role: 'user', content: 'ping' }] }
  const view = formatOf(wire).view(json)
  if (view.kind === 'invalid') throw new Error('the probe is not in the format it claims')
  return {
    wire,
    body: jsonBytes(json),
    json,
    view: view.value,
    tenant,
    contract: PROBE_CONTRACT,
    taskId: null,
    attributes: {},
    session: null,
    priority: 'interactive',
    traceparent: null,
    requestId: engine.system.newId('message'),
    upstreamHeaders: {},
  }
}

/** Priced for what it reads alone, or called so. */
function embedsOnly({ price, model }: Deployment): boolean {
  if (price !== null && price.rates.output === 0 && price.rates.input > 0) return true
  return /(?:^|[^a-z])embed/i.test(model)
}

interface Seen {
  readonly watch: Watch
  readonly caller: ProbingCaller
  readonly attempt: AttemptRecord | null
  readonly fault: boolean
}

function judged({ model, deployment }: Place, { watch, caller, attempt, fault }: Seen): Called {
  const { status, headMs: latencyMs, headers } = watch
  const end = attempt?.end ?? null
  const usable = end === 'ok' && !fault
  return {
    model,
    deployment,
    simulated: attempt?.simulated ?? false,
    usable,
    reachable: status !== null,
    authorised: authorised(watch, end),
    modelKnown: usable ? true : status === 404 ? false : null,
    status,
    end,
    reason: usable ? null : fault ? 'a fault of Spillway itself' : reasonOf(watch, caller, end),
    latencyMs,
    limits: toldLimits(readLimitHeaders(headers, deployment.quota.headers, 0)),
    nanoUsd: attempt?.nanoUsd ?? null,
  }
}

function authorised({ status, failure }: Watch, end: string | null): boolean | null {
  if (failure?.kind === 'credentials' || status === 401 || status === 403 || end === 'credentials')
    return false
  return status === null ? null : true
}

/** The provider's own words where there are any, else the connection's, else why nothing was sent. */
function reasonOf({ status, failure, body }: Watch, caller: ProbingCaller, end: string | null): string {
  if (failure !== null) return `${failure.kind}: ${failure.detail}`
  if (status !== null && status !== 200) return `HTTP ${status}: ${readError(status, body).message}`
  return status === 200 ? `what came with 200 is no answer (${end ?? 'unknown'})` : caller.message
}

/** Nobody reads the answer; a refusal before anything was sent is read from what it would have said. */
class ProbingCaller implements Caller {
  readonly gone = false
  begun = false
  #status = 0
  #text = ''

  begin(status: number): void {
    this.begun = true
    this.#status = status
  }

  write(): boolean {
    return true
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#status >= 400 && chunk !== undefined) this.#text = Buffer.from(chunk).toString('utf8')
  }

  onDrain(): void {}

  onGone(): void {}

  get message(): string {
    return readError(this.#status, this.#text).message
  }
}
