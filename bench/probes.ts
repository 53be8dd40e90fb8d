// Single questions about a running Spillway: does memory stay flat, does a limit hold exactly, how soon is
// the first answer there.

import type { Load } from './load.js'
import { type Core, type Started, rssBytes } from './processes.js'
import { chatBody, chatJob } from './requests.js'
import { TENANT_KEY, openCountedTask, startSpillway } from './spillway-under-test.js'
import { type Verdict, median } from './statistics.js'

export interface Probe {
  readonly name: string
  readonly figures: Readonly<Record<string, unknown>>
  readonly verdict: Verdict
}

interface Setting {
  readonly cores: Core
  readonly upstream: Started
  readonly load: Load
}

const SOAK_SLICES = 10
const RSS_MAX_MB = 200
/** Growth from the middle to the end of the soak that still counts as flat. */
const RSS_GROWTH_MAX = 1.1

const megabytes = (bytes: number): number => Math.round((bytes / 1024 / 1024) * 10) / 10

export async function soak({ cores, upstream, load }: Setting, requests: number): Promise<Probe> {
  await using spillway = await startSpillway({ cores: cores.gateway, upstream: upstream.url })
  const before = megabytes(rssBytes(spillway.pid))
  const slice = Math.ceil(requests / SOAK_SLICES)
  const rssMb: number[] = []
  for (let index = 0; index < SOAK_SLICES; index += 1) {
    const job = chatJob(spillway.url, { model: 'support_reply', stream: false, requests: slice })
    const result = await load.run(job)
    if (result.statuses['200'] !== slice) throw new Error(`soak: ${JSON.stringify(result.statuses)}`)
    rssMb.push(megabytes(rssBytes(spillway.pid)))
  }
  const middle = median(rssMb.slice(3, 6))
  const end = median(rssMb.slice(7))
  const growth = end / middle
  const passed = end <= RSS_MAX_MB && growth <= RSS_GROWTH_MAX
  const figures = { requests: slice * SOAK_SLICES, beforeMb: before, rssMb, growth, atMostMb: RSS_MAX_MB }
  return { name: 'soak', figures, verdict: passed ? 'pass' : 'fail' }
}

const PARALLEL_CALLS = 1_000
const PARALLEL_ROOM = 37

export async function parallel({ cores, upstream, load }: Setting): Promise<Probe> {
  await using spillway = await startSpillway({ cores: cores.gateway, upstream: upstream.url })
  const task = await openCountedTask(spillway.url, PARALLEL_ROOM)
  const headers = { 'x-spillway-task-id': task }
  const request = { model: 'counted', stream: false, requests: PARALLEL_CALLS, headers }
  const result = await load.run({ ...chatJob(spillway.url, request), connections: PARALLEL_CALLS })
  const served = result.statuses['200'] ?? 0
  const refused = result.statuses['429'] ?? 0
  const exact = served === PARALLEL_ROOM && refused === PARALLEL_CALLS - PARALLEL_ROOM
  const figures = { calls: PARALLEL_CALLS, room: PARALLEL_ROOM, statuses: result.statuses }
  return { name: 'parallel', figures, verdict: exact ? 'pass' : 'fail' }
}

const STARTS = 5
const FIRST_ANSWER_MAX_MS = 1_000

async function firstAnswerMs(setting: Setting): Promise<number> {
  const started = performance.now()
  await using spillway = await startSpillway({ cores: setting.cores.others, upstream: setting.upstream.url })
  const response = await fetch(`${spillway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TENANT_KEY}`, 'content-type': 'application/json' },
    body: chatBody({ model: 'support_reply', stream: false }),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`first call answered ${response.status}: ${text}`)
  return performance.now() - started
}

export async function start(setting: Setting): Promise<Probe> {
  const milliseconds: number[] = []
  for (let index = 0; index < STARTS; index += 1) milliseconds.push(Math.round(await firstAnswerMs(setting)))
  const passed = median(milliseconds) <= FIRST_ANSWER_MAX_MS
  const figures = { milliseconds, median: median(milliseconds), atMost: FIRST_ANSWER_MAX_MS }
  return { name: 'start', figures, verdict: passed ? 'pass' : 'fail' }
}
