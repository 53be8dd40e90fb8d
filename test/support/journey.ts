// A gateway in front of the simulated provider, each in a process of its own, and the few requests that journeys
// are made of.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OpenTaskRequest, OpenedTask, StepAccepted, TaskTraceView, TaskView } from '@spillway/protocol'
import type { Ask, Dialect } from './dialects.js'
import { type Answered, request } from './http.js'
import {
  type RunningProcess,
  type RunningServer,
  type ServerOptions,
  startServer,
  startSim,
} from './server.js'

type Headers = Readonly<Record<string, string>>

export interface JourneyOptions {
  /** Arguments of `spillway sim`. Default: answers of 24 tokens. */
  readonly sim?: readonly string[]
  /** Configuration, given the simulator's URL. */
  readonly config: (simUrl: string) => string
  /** Environment of the server, given the simulator's URL. */
  readonly env?: (simUrl: string) => Headers
  /** Sent with every request unless it says otherwise. Default none. */
  readonly key?: string
}

export interface SimModelStats {
  readonly requests: number
  readonly answered: number
  readonly aborted: number
  readonly input_tokens: { readonly reported: number; readonly unreported: number }
  readonly output_tokens: { readonly reported: number; readonly unreported: number }
}

/** Both wires of the simulator as providers `openai` and `anthropic`. */
export const providersOf = (simUrl: string) => `
providers:
  openai: { kind: openai, api_key: provider-key-1, base_url: "${simUrl}/v1" }
  anthropic: { kind: anthropic, api_key: provider-key-2, base_url: "${simUrl}" }`

export class Journey {
  readonly #options: JourneyOptions
  readonly #dir: string
  readonly sim: RunningProcess
  server: RunningServer

  private constructor(
    options: JourneyOptions,
    place: { readonly dir: string; readonly sim: RunningProcess; readonly server: RunningServer },
  ) {
    this.#options = options
    this.#dir = place.dir
    this.sim = place.sim
    this.server = place.server
  }

  static async start(options: JourneyOptions): Promise<Journey> {
    const dir = await mkdtemp(join(tmpdir(), 'spillway-journey-'))
    const sim = await startSim(options.sim ?? ['--output-tokens', '24'])
    const server = await startServer(serverOptions(options, { dir, simUrl: sim.url }))
    return new Journey(options, { dir, sim, server })
  }

  /** Starts the server again on the same data, after it was stopped or killed. */
  async startAgain(): Promise<void> {
    this.server = await startServer(serverOptions(this.#options, { dir: this.#dir, simUrl: this.sim.url }))
  }

  async stop(): Promise<void> {
    await this.server.stop()
    await this.sim.stop()
    await rm(this.#dir, { recursive: true, force: true })
  }

  /** Where the configuration (`spillway.yaml`) and the data (`data/`) are. */
  get dir(): string {
    return this.#dir
  }

  send(path: string, sent: { body?: unknown; headers?: Headers; method?: string } = {}): Promise<Answered> {
    const { key } = this.#options
    const headers = { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...sent.headers }
    return request(this.server.url + path, { ...sent, headers })
  }

  ask(dialect: Dialect, ask: Ask, headers: Headers = {}): Promise<Answered> {
    return this.send(dialect.path, { body: dialect.body(ask), headers })
  }

  async open(ask: OpenTaskRequest): Promise<OpenedTask> {
    const { status, body } = await this.send('/v1/tasks', { body: ask })
    return must(201, 'POST /v1/tasks', { status, body }) as OpenedTask
  }

  async view(id: string): Promise<TaskView> {
    return (await this.#get(`/v1/tasks/${id}`)) as TaskView
  }

  async trace(id: string): Promise<TaskTraceView> {
    return (await this.#get(`/v1/tasks/${id}/trace`)) as TaskTraceView
  }

  /** The trace of the task that an answer belongs to. */
  traceOf(answered: Answered): Promise<TaskTraceView> {
    return this.trace(answered.headers.get('x-spillway-task-id') ?? 'none')
  }

  /** What the ledger itself says is spent and left, holds taken off: asked by reporting a step that is free. */
  async balance(id: string): Promise<StepAccepted['task']> {
    const step = { kind: 'custom', name: 'balance', started_at: '2026-01-31T09:30:00Z', duration_ms: 0 }
    const { status, body } = await this.send(`/v1/tasks/${id}/steps`, { body: step })
    return (must(201, 'a reported step', { status, body }) as StepAccepted).task
  }

  /** Requests the simulator has seen, of all models. */
  async upstreamRequests(): Promise<number> {
    return Object.values(await this.#stats()).reduce((sum, { requests }) => sum + requests, 0)
  }

  /** What the simulator counted for a model; zeroes when it was never asked. */
  async stats(model: string): Promise<SimModelStats> {
    const models = await this.#stats()
    const none = { reported: 0, unreported: 0 }
    return models[model] ?? { requests: 0, answered: 0, aborted: 0, input_tokens: none, output_tokens: none }
  }

  /** Turns knobs of the simulator, of one model or of all. */
  async turn(knobs: Readonly<Record<string, unknown>>): Promise<void> {
    must(200, 'the knobs', await request(`${this.sim.url}/sim/behaviour`, { body: knobs }))
  }

  /** The value of a metric without labels, or the sum over those whose labels include the given text. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = String(await this.#get('/metrics'))
    const lines = text
      .split('\n')
      .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(labels))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  async #stats(): Promise<Readonly<Record<string, SimModelStats>>> {
    const { body } = await request(`${this.sim.url}/sim/stats`)
    return (body as { models: Readonly<Record<string, SimModelStats>> }).models
  }

  async #get(path: string): Promise<unknown> {
    return must(200, path, await this.send(path))
  }
}

function serverOptions(
  { config, env }: JourneyOptions,
  { dir, simUrl }: { readonly dir: string; readonly simUrl: string },
): ServerOptions {
  return { dir, config: config(simUrl), ...(env !== undefined && { env: env(simUrl) }) }
}

function must(expected: number, what: string, answered: Pick<Answered, 'status' | 'body'>): unknown {
  if (answered.status === expected) return answered.body
  throw new Error(`${what}: answered ${answered.status}: ${JSON.stringify(answered.body)}`)
}

/** Sums without losing nano-dollars to decimals. */
export function nanoSum(usd: readonly number[]): number {
  return usd.reduce((sum, one) => sum + Math.round(one * 1e9), 0)
}
