// `spillway providers`: every deployment with how it is deployed, its state and load, and whether anything is
// simulated. With `--probe`, what one tiny call to each shows.

import type { CapacityJson, DeploymentCapacity } from '@spillway/protocol'
import type { Command } from 'commander'
import { isObject } from '../core/json.js'
import { type CliIo, processIo } from './cli-io.js'
import { type Question, type ServerOptions, show, withServerOptions } from './client.js'
import { UNKNOWN, count, duration } from './format.js'
import { type Paint, createPaint } from './paint.js'
import { plainTable } from './plain-table.js'
import { probeQuestion } from './probe-table.js'

export function registerProviders(program: Command, io: CliIo = processIo()): void {
  const command = program.command('providers').description('deployments: state, load, limits, latency')
  withServerOptions(command)
    .option('--models', 'list what a call may name instead (GET /v1/models)')
    .option('--probe', 'make one tiny call to each, paid like any other; exit 1 when one is not usable')
    .action(async (options: ServerOptions & Asked) => {
      await show(io, options, question(options, createPaint(io.colour)))
    })
}

interface Asked {
  readonly models?: boolean
  readonly probe?: boolean
}

function question({ models, probe }: Asked, paint: Paint): Question {
  if (probe === true) return probeQuestion(paint)
  if (models === true)
    return { path: '/v1/models', render: (body) => (isModelList(body) ? renderModels(body, paint) : null) }
  return { path: '/v1/capacity', render: (body) => (isCapacity(body) ? renderCapacity(body, paint) : null) }
}

function isCapacity(body: unknown): body is CapacityJson {
  return isObject(body) && Array.isArray(body['deployments'])
}

export function renderCapacity(capacity: CapacityJson, paint: Paint): string {
  if (capacity.deployments.length === 0) return 'No deployment is configured.'
  const left = ['model', 'deployment', 'approach', 'region', 'retention', 'state'].map((head) => ({
    head,
    align: 'left' as const,
  }))
  const right = ['in flight', 'queued', 'requests left', 'tokens left', 'p50', 'p95'].map((head) => ({
    head,
  }))
  const rows = capacity.deployments.map((deployment) => cells(deployment, paint))
  return plainTable([...left, ...right], rows, paint)
}

function cells(deployment: DeploymentCapacity, paint: Paint): string[] {
  const { breaker, concurrency, queue, rate, latency_ms: latency, cooling_ms: coolingMs = 0 } = deployment
  const state = {
    closed: coolingMs > 0 ? paint.red('resting') : paint.green('ready'),
    open: paint.red('resting'),
    'half-open': paint.yellow('probing'),
  }
  return [
    deployment.model,
    deployment.deployment,
    deployment.hosting ?? UNKNOWN,
    deployment.region ?? UNKNOWN,
    days(deployment.retention_days ?? null),
    state[breaker],
    `${count(concurrency.in_flight)}/${concurrency.limit === null ? '∞' : count(concurrency.limit)}`,
    queue.oldest_ms === null ? count(queue.length) : `${count(queue.length)} (${duration(queue.oldest_ms)})`,
    count(rate.requests_left),
    count(rate.tokens_left),
    duration(latency?.p50 ?? null),
    duration(latency?.p95 ?? null),
  ]
}

/** How long prompts are kept. */
function days(kept: number | null): string {
  if (kept === null) return UNKNOWN
  return kept === 0 ? 'none' : kept === 1 ? '1 day' : `${kept} days`
}

interface ModelListAnswer {
  readonly data: readonly Readonly<Record<string, unknown>>[]
}

function isModelList(body: unknown): body is ModelListAnswer {
  return isObject(body) && Array.isArray(body['data']) && body['data'].every(isObject)
}

/** OpenAI's list shape; what Spillway adds is shown where it is there. */
export function renderModels(list: ModelListAnswer, paint: Paint): string {
  const text = (value: unknown) => (typeof value === 'string' ? value : UNKNOWN)
  const rows = list.data.map((model) => [
    text(model['id']),
    text(model['owned_by']),
    model['simulated'] === true || model['x-spillway-simulated'] === true ? paint.yellow('simulated') : '',
  ])
  return plainTable(
    ['name', 'owned by', ''].map((head) => ({ head, align: 'left' as const })),
    rows,
    paint,
  )
}
