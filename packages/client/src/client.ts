// The client's face: one object per Spillway server and key.

import type {
  JudgedOutcome,
  ModelList,
  OutcomeRequest,
  Report,
  ReportQuery,
  TaskListPage,
  TaskListQuery,
  TaskTraceView,
} from '@spillway/protocol'
import { type Clock, liveClock } from './clock.js'
import { checkOnDevice, type OnDeviceOptions } from './on-device/rule.js'
import { ReportQueue } from './report-queue.js'
import { type ClientContext, reportOutcome, runTask } from './run-task.js'
import type { TaskOptions, TaskResult, TaskWork } from './task.js'
import { type Transport, sendForJson } from './transport.js'

export interface ClientOptions {
  /** Where Spillway listens: `http://127.0.0.1:4100`, with or without `/v1`. */
  readonly baseUrl: string
  /** A tenant's key. Not needed on a server without tenants, which serves local callers only. */
  readonly apiKey?: string
  /** Default `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Default the real one. */
  readonly clock?: Clock
  /** Who runs calls on this device, and when the server is asked instead: see `CallOptions.onDevice`. */
  readonly onDevice?: OnDeviceOptions
}

export interface Client {
  /**
   * Opens a task under a contract, runs `work` in it and reports its outcome: the verdict of `t.succeed` or
   * `t.fail`; without one `succeeded` with the returned value as output, when that is plain JSON; `failed`
   * when `work` throws or the deadline passes; `abandoned` when `options.signal` aborts. Rejects with what
   * `work` threw, and with `SpillwayError` when the task cannot be opened or its time is up
   * (`deadline.exceeded`).
   */
  task<T>(contract: string, options: TaskOptions, work: TaskWork<T>): Promise<TaskResult<T>>
  /** A verdict that comes later: the last one stands, earlier ones are kept. */
  outcome(taskId: string, outcome: OutcomeRequest): Promise<JudgedOutcome>
  /** The whiteboard's numbers. */
  report(query?: ReportQuery): Promise<Report>
  /** Tasks, newest first. */
  tasks(query?: TaskListQuery): Promise<TaskListPage>
  /** Everything known about a task, in order of time. */
  trace(taskId: string): Promise<TaskTraceView>
  /** What the `model` of a call may name. */
  models(): Promise<ModelList>
}

/** Throws `TypeError` when `baseUrl` is not a URL, or `onDevice` is wrong. */
export function createClient(options: ClientOptions): Client {
  // Called through a function of its own: browsers refuse a `fetch` that is called as a method of something
  // else.
  const { fetch = globalThis.fetch } = options
  const transport: Transport = {
    origin: new URL(options.baseUrl).href.replace(/\/+$/, '').replace(/\/v1$/, ''),
    apiKey: options.apiKey ?? null,
    fetch: (url, init) => fetch(url, init),
    clock: options.clock ?? liveClock,
  }
  const onDevice = options.onDevice === undefined ? undefined : checkOnDevice(options.onDevice)
  const context: ClientContext = { transport, queue: new ReportQueue(transport), onDevice }
  // What our own server answers to a GET is taken at its word; the types are the server's own.
  const get = async <T>(path: string) => (await sendForJson(transport, { method: 'GET', path })).body as T
  return {
    task: (contract, taskOptions, work) => runTask(context, { contract, options: taskOptions }, work),
    outcome: (taskId, outcome) => reportOutcome(context, taskId, outcome),
    report: (query) => get<Report>(`/v1/report${queryText(query)}`),
    tasks: (query) => get<TaskListPage>(`/v1/tasks${queryText(query)}`),
    trace: (taskId) => get<TaskTraceView>(`/v1/tasks/${encodeURIComponent(taskId)}/trace`),
    models: () => get<ModelList>('/v1/models'),
  }
}

function queryText(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}
