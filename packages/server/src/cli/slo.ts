// `spillway slo`: objectives per contract, error budgets, and how fast they burn. `spillway events`: what
// happened to the service, newest first.

import type { BurnJson, EventsAnswer, ObjectiveJson, SloAnswer } from '@spillway/protocol'
import type { Command } from 'commander'
import { isObject } from '../core/json.js'
import { type CliIo, processIo } from './cli-io.js'
import { type ServerOptions, show, withServerOptions } from './client.js'
import { UNKNOWN, count, duration, moment, percent } from './format.js'
import { type Paint, createPaint } from './paint.js'
import { parseLimit } from './parse-options.js'
import { plainTable } from './plain-table.js'

export function registerSlo(program: Command, io: CliIo = processIo()): void {
  const paint = createPaint(io.colour)
  withServerOptions(program.command('slo').description('objectives, error budgets and burn rates')).action(
    async (options: ServerOptions) => {
      const render = (body: unknown) => (isSlo(body) ? renderSlo(body, paint) : null)
      await show(io, options, { path: '/v1/slo', query: {}, render })
    },
  )
}

interface EventsOptions extends ServerOptions {
  readonly event?: string
  readonly subject?: string
  readonly limit: string
}

export function registerEvents(program: Command, io: CliIo = processIo()): void {
  const paint = createPaint(io.colour)
  withServerOptions(program.command('events').description('alerts, breakers and overload, newest first'))
    .option('--event <name>', 'only events of this name')
    .option('--subject <name>', 'only what happened to this contract or deployment')
    .option('--limit <n>', 'most rows, 1 to 500', parseLimit, '20')
    .action(async (options: EventsOptions) => {
      const { event, subject, limit } = options
      const render = (body: unknown) => (isEvents(body) ? renderEvents(body, paint) : null)
      await show(io, options, { path: '/v1/events', query: { event, subject, limit }, render })
    })
}

function isSlo(body: unknown): body is SloAnswer {
  return isObject(body) && Array.isArray(body['contracts'])
}

function isEvents(body: unknown): body is EventsAnswer {
  return isObject(body) && Array.isArray(body['events'])
}

export function renderSlo({ contracts }: SloAnswer, paint: Paint): string {
  if (contracts.length === 0) return 'No contract has an objective (`slo` in the configuration).'
  const columns = [
    { head: 'contract', align: 'left' as const },
    { head: 'objective', align: 'left' as const },
    ...['tasks in 30 d', 'budget left', '1 h', '6 h', '3 d'].map((head) => ({ head })),
    { head: 'alert', align: 'left' as const },
  ]
  const rows = contracts.flatMap(({ contract, objectives }) =>
    objectives.map((state) => [
      contract,
      wanted(state),
      count(state.period.tasks),
      budgetLeft(state, paint),
      ...state.burn.map((burn) => rate(burn, paint)),
      alerts(state, paint),
    ]),
  )
  const note = 'Burn rates: 1 uses the whole error budget in 30 days; alerts ask a long and a short window.'
  return `${plainTable(columns, rows, paint)}\n\n${paint.dim(note)}`
}

function wanted({ objective, target }: ObjectiveJson): string {
  return objective === 'success_rate' ? `success >= ${percent(target)}` : `p95 <= ${duration(target)}`
}

function budgetLeft({ budget_left: left }: ObjectiveJson, paint: Paint): string {
  if (left === null) return UNKNOWN
  return left < 0 ? paint.red(percent(left)) : percent(left)
}

function rate({ long, firing }: BurnJson, paint: Paint): string {
  const text = long.rate >= 100 ? long.rate.toFixed(0) : long.rate.toFixed(1)
  return firing ? paint.red(text) : text
}

function alerts({ burn }: ObjectiveJson, paint: Paint): string {
  const firing = burn.filter((one) => one.firing).map(({ severity, alert }) => `${severity} (${alert})`)
  return firing.length === 0 ? '' : paint.red(firing.join(', '))
}

export function renderEvents({ events }: EventsAnswer, paint: Paint): string {
  if (events.length === 0) return 'Nothing happened.'
  const columns = ['at (UTC)', 'event', 'what', 'detail'].map((head) => ({ head, align: 'left' as const }))
  const rows = events.map(({ at, event, subject, detail }) => [moment(at), event, subject, said(detail)])
  return plainTable(columns, rows, paint)
}

/** Small facts, as `name value`; what is not plain is left to `--json`. */
function said(detail: EventsAnswer['events'][number]['detail']): string {
  return Object.entries(detail)
    .filter(
      ([, value]) => typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number',
    )
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toFixed(2)) : String(value)}`)
    .join(', ')
}
