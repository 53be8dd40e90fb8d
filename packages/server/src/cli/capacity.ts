// `spillway capacity`: how every deployment is now, and for operators a hand on it: open, close, drain, auto.

import type { CapacityJson, DeploymentCapacity } from '@spillway/protocol'
import { type Command, InvalidArgumentError } from 'commander'
import { isObject } from '../core/json.js'
import { type CliIo, processIo } from './cli-io.js'
import { type Question, type ServerOptions, show, withServerOptions } from './client.js'
import { count, duration, moment } from './format.js'
import { type Paint, createPaint } from './paint.js'
import { plainTable } from './plain-table.js'

const ACTIONS = {
  open: 'no calls go there',
  close: 'calls go there, whatever its failures say',
  drain: 'no new calls, running ones end',
  auto: 'back to what the calls say',
} as const

interface SteerOptions extends ServerOptions {
  readonly for?: number
  readonly reason: string
}

export function registerCapacity(program: Command, io: CliIo = processIo()): void {
  const paint = createPaint(io.colour)
  const render = (body: unknown) => (isCapacity(body) ? renderCapacity(body, paint) : null)
  const command = program
    .command('capacity')
    .description('deployments: breaker, load, queue, rates; open, close or drain one by hand')
  withServerOptions(command).action(async (options: ServerOptions) => {
    await show(io, options, { path: '/v1/capacity', render })
  })
  for (const [action, meaning] of Object.entries(ACTIONS)) {
    const one = command.command(`${action} <deployment>`).description(meaning)
    withServerOptions(one)
    if (action !== 'auto')
      one.requiredOption('--for <time>', 'such as 90s, 10m or 2h, at most 24h', parseSpan)
    one
      .requiredOption('--reason <text>', 'kept with your name')
      .action(async (deployment: string, _options: unknown, self: Command) => {
        // The command above takes `--url` and `--json` too, and would keep what is said of them.
        const options = self.optsWithGlobals<SteerOptions>()
        await show(io, options, { ...steer(action, deployment, options), render })
      })
  }
}

function steer(action: string, deployment: string, options: SteerOptions): Omit<Question, 'render'> {
  const seconds = options.for === undefined ? {} : { for_seconds: options.for }
  return {
    path: `/v1/capacity/deployments/${deployment.split('/').map(encodeURIComponent).join('/')}`,
    method: 'POST',
    body: { action, ...seconds, reason: options.reason },
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 }

function parseSpan(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? []
  const seconds = Number(amount) * (SECONDS[unit] ?? 0)
  if (seconds >= 1 && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('Give a time such as 90s, 10m or 2h, at most 24h.')
}

function isCapacity(body: unknown): body is CapacityJson {
  return isObject(body) && Array.isArray(body['deployments'])
}

export function renderCapacity(body: CapacityJson, paint: Paint): string {
  const all = [...body.deployments, ...(body.dependencies ?? [])]
  if (all.length === 0) return 'No deployment is configured.'
  const left = ['model', 'deployment', 'state'].map((head) => ({ head, align: 'left' as const }))
  const right = ['in flight', 'queued', 'requests left', 'tokens left', 'retries left', 'failed'].map(
    (head) => ({ head }),
  )
  const why = { head: 'why', align: 'left' as const }
  return plainTable(
    [...left, ...right, why],
    all.map((one) => cells(one, paint)),
    paint,
  )
}

function cells(one: DeploymentCapacity, paint: Paint): string[] {
  const { breaker, concurrency, queue, rate, retries_left: retries = null } = one
  const state = {
    closed: paint.green('closed'),
    open: paint.red('open'),
    'half-open': paint.yellow('half-open'),
  }
  const failed = Object.values(one.failures ?? {}).reduce((sum, each) => sum + each, 0)
  return [
    one.model,
    one.deployment,
    state[breaker],
    `${count(concurrency.in_flight)}/${concurrency.limit === null ? '∞' : count(concurrency.limit)}`,
    count(queue.length),
    count(rate.requests_left),
    count(rate.tokens_left),
    count(retries),
    `${count(failed)}/${count(one.requests ?? null)}`,
    reasonOf(one),
  ]
}

function reasonOf({
  breaker,
  breaker_detail: detail,
  cooling_ms: coolingMs = 0,
}: DeploymentCapacity): string {
  const pin = detail?.pin ?? null
  if (pin !== null) return `${pin.action} by ${pin.by} until ${moment(pin.until)}: ${pin.reason}`
  const nextMs = detail?.next_try_ms ?? null
  if (breaker === 'open' && nextMs !== null) return `failed; tried again in ${duration(nextMs)}`
  if (breaker === 'half-open') return 'failed; a call is trying it'
  return coolingMs > 0 ? `asked to be left alone for ${duration(coolingMs)}` : ''
}
