// A whole engine without a socket and without a real clock: a YAML configuration, scripted providers, books
// and ledger in memory. Time passes only while somebody waits for a call here.

import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import { parseConfig } from '../config/load-config.js'
import { MemoryLedger } from '../core/budget/memory-ledger.js'
import { type CallerWire, NO_CEILINGS, type Release, type Tenant } from '../core/release/release.js'
import type { Entry, HoldSettled, OutcomeJudged, StepEnded } from '../core/task/records.js'
import { AnswerMemory } from '../engine/answer-memory.js'
import { callModel } from '../engine/call-model.js'
import { watchBreakers } from '../engine/capacity/breaker-events.js'
import { Capacity } from '../engine/capacity/capacity.js'
import { Ceilings } from '../engine/ceilings.js'
import { type Engine, PremiumCounters } from '../engine/engine.js'
import { watchOverload } from '../engine/overload-events.js'
import { type OpenTask, openTask } from '../engine/open-task.js'
import type { System } from '../engine/ports.js'
import type { SendToDependency } from '../engine/ports.js'
import { PermitTable } from '../engine/dependency/permit-table.js'
import { SloWatch } from '../engine/slo-watch.js'
import type { ModelCall } from '../engine/step-context.js'
import { type Task, TaskRegistry } from '../engine/task-registry.js'
import { formatOf } from '../wire/formats.js'
import { type FakeSystem, createFakeSystem } from './fake-system.js'
import { type AtPort, gateBooks, gateLedger } from './gate-ports.js'
import { type MemoryBooks, createMemoryBooks } from './memory-books.js'
import { RecordingCaller } from './recording-caller.js'
import {
  type ScriptedProvider,
  type ScriptedProviderOptions,
  createScriptedProvider,
} from './scripted-provider.js'

export interface TestEngineOptions {
  /** A configuration as users write it. Providers in it need no key that works. */
  readonly yaml: string
  /** Scripted, by the name they have in the configuration; `send` to any other is a fault. */
  readonly providers: Readonly<Record<string, Omit<ScriptedProviderOptions, 'name'>>>
  readonly seed?: number
  /** Default: a fault. */
  readonly sendToDependency?: SendToDependency
  /** Runs before every call of a port that may fail or take time. */
  readonly atPort?: AtPort
}

export interface CallAsk {
  /** Default `openai-chat`. */
  readonly wire?: CallerWire
  /** Laid over a small question. Inside a task the route decides on the model. */
  readonly body?: object
  readonly task?: string
  readonly taskId?: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly tenant?: Tenant
  readonly session?: string
  /** Default `interactive`. */
  readonly priority?: ModelCall['priority']
  readonly upstreamHeaders?: Readonly<Record<string, string>>
  /** Of a call of the Responses API, as the HTTP floor prepares it. */
  readonly keeps?: ModelCall['keeps']
  readonly thoughts?: ModelCall['thoughts']
}

export interface RunningCall {
  readonly caller: RecordingCaller
  /** Resolves with what `callModel` threw, or null. */
  readonly done: Promise<Error | null>
  readonly isDone: boolean
}

export interface TestEngine {
  readonly engine: Engine
  readonly system: FakeSystem
  readonly books: MemoryBooks
  readonly ledger: MemoryLedger
  readonly release: Release
  provider(name: string): ScriptedProvider
  /** Starts a call; nothing happens before time passes. */
  start(ask: CallAsk): RunningCall
  /** Lets time pass until the call is over. Throws what the engine threw. */
  finish(call: RunningCall): Promise<RecordingCaller>
  /** `start` and `finish`. */
  call(ask: CallAsk): Promise<RecordingCaller>
  open(contract: string, ask?: Partial<OpenTask>): Promise<Task>
  entries<K extends Entry['kind']>(kind: K): readonly Extract<Entry, { kind: K }>[]
  lastStep(): StepEnded
  lastOutcome(): OutcomeJudged
  attempts(): readonly HoldSettled['attempt'][]
}

/** No call in these tests takes longer, ms. */
const PATIENCE_MS = 3_600_000

export const LOCAL: Tenant = {
  name: 'local',
  keyHashes: [],
  limits: NO_CEILINGS,
  attributes: {},
  weight: 1,
}

export function createTestEngine(options: TestEngineOptions): TestEngine {
  const system = createFakeSystem({ seed: options.seed ?? 1 })
  const atPort = options.atPort ?? (() => {})
  const release = loadRelease(options.yaml, system)
  const books = createMemoryBooks(system)
  const ledger = new MemoryLedger()
  const providers = new Map(
    Object.entries(options.providers).map(([name, rest]) => [
      name,
      createScriptedProvider(system, { name, ...rest }),
    ]),
  )
  const engine = engineOf({
    system,
    books: gateBooks(books, atPort),
    ledger: gateLedger(ledger, atPort),
    archive: books,
    release: () => release,
    provider: (_release, name) => providers.get(name),
    ...(options.sendToDependency && { sendToDependency: options.sendToDependency }),
  })
  return testEngineOf({ system, books, ledger, release, providers, atPort, engine })
}

interface Parts {
  readonly system: FakeSystem
  readonly books: MemoryBooks
  readonly ledger: MemoryLedger
  readonly release: Release
  readonly providers: ReadonlyMap<string, ScriptedProvider>
  readonly atPort: AtPort
}

/** What a world is made of; the state between calls is new. */
type EnginePorts = Pick<Engine, 'system' | 'books' | 'ledger' | 'archive' | 'release' | 'provider'> &
  Partial<Pick<Engine, 'sendToDependency'>>

export function engineOf(ports: EnginePorts): Engine {
  const { system, ledger } = ports
  const engine: Engine = {
    tasks: new TaskRegistry(),
    capacity: new Capacity(system),
    ceilings: new Ceilings(ledger, new Map()),
    answers: new AnswerMemory((text) => system.sha256(text)),
    bytesPerToken: new Map(),
    premiumShare: new PremiumCounters(),
    slo: new SloWatch(),
    permits: new PermitTable(),
    sendToDependency: () => Promise.reject(new Error('no dependency is scripted')),
    observe() {},
    ...ports,
  }
  watchOverload(engine)
  watchBreakers(engine)
  return engine
}

function testEngineOf(parts: Parts & { readonly engine: Engine }): TestEngine {
  const { engine, system, books, ledger, release, providers } = parts
  const finish = async (call: RunningCall): Promise<RecordingCaller> => {
    await passTime(system, call)
    const fault = await call.done
    if (fault !== null) throw fault
    return call.caller
  }
  const start = (ask: CallAsk) => startCall(parts, ask)
  const entries = <K extends Entry['kind']>(kind: K) =>
    books.entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind)
  return {
    engine,
    system,
    books,
    ledger,
    release,
    provider: (name) => must(providers.get(name), `no provider ${name}`),
    start,
    finish,
    call: (ask) => finish(start(ask)),
    open: (contract, ask = {}) => open(engine, contract, ask),
    entries,
    lastStep: () => must(entries('step-ended').at(-1), 'no step has ended'),
    lastOutcome: () => must(entries('outcome-judged').at(-1), 'no outcome was judged'),
    attempts: () => entries('hold-settled').map(({ attempt }) => attempt),
  }
}

async function open(engine: Engine, contract: string, ask: Partial<OpenTask>): Promise<Task> {
  const rest = { attributes: {}, session: null, externalId: null, parent: null, budget: {}, latencyMs: null }
  const task = openTask(engine, { tenant: LOCAL, contract, oneStep: false, ...rest, ...ask })
  if ('kind' in task) throw new Error(`${task.code}: ${task.message}`)
  return task
}

function startCall({ engine, atPort }: Parts & { readonly engine: Engine }, ask: CallAsk): RunningCall {
  const caller = new RecordingCaller((port) => void atPort(port))
  const state = { caller, isDone: false, done: Promise.resolve<Error | null>(null) }
  state.done = callModel(engine, modelCallOf(ask), caller)
    .then(() => null)
    .catch((fault: unknown) => (fault instanceof Error ? fault : new Error(String(fault))))
    .finally(() => {
      state.isDone = true
    })
  return state
}

export function modelCallOf(ask: CallAsk): ModelCall {
  const { wire = 'openai-chat', body = {} } = ask
  const isNamed = ask.task !== undefined || ask.taskId !== undefined
  const model = isNamed ? 'whatever-the-route-says' : 'small-model'
  const question = { model, messages: [{ role: 'user', content: 'What is the capital of France?' }] }
  const limit = wire === 'anthropic-messages' ? { max_tokens: 64 } : {}
  const json = { ...question, ...limit, ...body }
  const view = formatOf(wire).view(json)
  if (view.kind === 'invalid')
    throw new Error(view.problems.map(({ at, message }) => `${at} ${message}`).join('; '))
  return {
    wire,
    body: Buffer.from(JSON.stringify(json)),
    json,
    view: view.value,
    tenant: ask.tenant ?? LOCAL,
    contract: ask.task ?? null,
    taskId: ask.taskId ?? null,
    attributes: ask.attributes ?? {},
    session: ask.session ?? null,
    priority: ask.priority ?? 'interactive',
    traceparent: null,
    requestId: 'request-1',
    upstreamHeaders: ask.upstreamHeaders ?? {},
    ...(ask.keeps === undefined ? {} : { keeps: ask.keeps }),
    ...(ask.thoughts === undefined ? {} : { thoughts: ask.thoughts }),
  }
}

/** From timer to timer, so that no more time passes than the call needs. */
async function passTime(system: FakeSystem, call: RunningCall): Promise<void> {
  const giveUpMs = system.nowMs() + PATIENCE_MS
  for (;;) {
    await system.advance(0)
    if (call.isDone) return
    const nextMs = system.nextTimerMs()
    if (nextMs === null || nextMs > giveUpMs) throw new Error('the call waits for nothing that would happen')
    await system.advance(Math.max(0, nextMs - system.nowMs()))
  }
}

function loadRelease(yaml: string, system: System): Release {
  const prices = createGenaiPrices(system.nowMs())
  const loaded = parseConfig({
    text: yaml,
    file: 'test.yaml',
    env: {},
    prices,
    sha256: (text) => system.sha256(text),
  })
  if (loaded.kind === 'ok') return loaded.value
  throw new Error(loaded.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}

function must<T>(value: T | undefined, message: string): T {
  if (value === undefined) throw new Error(message)
  return value
}
