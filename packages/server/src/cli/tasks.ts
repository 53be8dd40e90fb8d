// `spillway tasks`: the newest tasks, filtered, one line each.

import type { TaskListPage, TaskRowView } from '@spillway/protocol'
import { type Command, Option } from 'commander'
import { isObject } from '../core/json.js'
import { type CliIo, processIo } from './cli-io.js'
import { type ServerOptions, show, withServerOptions } from './client.js'
import { UNKNOWN, count, dollars, duration, fitText, moment } from './format.js'
import { type Paint, createPaint } from './paint.js'
import { parseInstant, parseLimit } from './parse-options.js'
import { plainTable } from './plain-table.js'

interface TasksOptions extends ServerOptions {
  readonly contract?: string
  readonly status?: string
  readonly session?: string
  readonly externalId?: string
  readonly degraded?: boolean
  readonly since?: string
  readonly until?: string
  readonly limit: string
  readonly cursor?: string
}

export function registerTasks(program: Command, io: CliIo = processIo()): void {
  const command = program.command('tasks').description('list tasks, newest first')
  withServerOptions(command)
    .option('--contract <name>', 'only tasks of this contract')
    .addOption(new Option('--status <status>', 'only tasks that are').choices(STATUSES))
    .option('--session <id>', 'only tasks of this conversation')
    .option('--external-id <id>', "only tasks with this id of the application's own")
    .option('--degraded', 'only tasks that took a rung of the ladder')
    .option('--since <age|time>', 'opened after: 90m, 24h, 7d, or an ISO time', parseInstant)
    .option('--until <age|time>', 'opened before', parseInstant)
    .option('--limit <n>', 'most rows, 1 to 500', parseLimit, '20')
    .option('--cursor <cursor>', 'go on after an earlier page')
    .action(async (options: TasksOptions) => {
      const paint = createPaint(io.colour)
      const render = (body: unknown) => (isTaskList(body) ? renderTasks(body, paint) : null)
      await show(io, options, { path: '/v1/tasks', query: queryOf(options), render })
    })
}

const STATUSES = ['open', 'succeeded', 'failed', 'abandoned']

function queryOf(options: TasksOptions): Readonly<Record<string, string | undefined>> {
  const { contract, status, session, since, until, limit, cursor } = options
  const degraded = options.degraded === true ? 'true' : undefined
  return {
    contract,
    status,
    session,
    external_id: options.externalId,
    degraded,
    since,
    until,
    limit,
    cursor,
  }
}

function isTaskList(body: unknown): body is TaskListPage {
  return isObject(body) && Array.isArray(body['tasks'])
}

export function renderTasks(list: TaskListPage, paint: Paint): string {
  if (list.tasks.length === 0) return 'No task fits.'
  const left = ['task', 'opened (UTC)', 'contract', 'status'].map((head) => ({
    head,
    align: 'left' as const,
  }))
  const right = ['time', 'cost', 'steps', 'attempts'].map((head) => ({ head }))
  const rows = list.tasks.map((row) => cells(row, paint))
  const table = plainTable([...left, ...right, { head: '', align: 'left' }], rows, paint)
  if (list.next_cursor === null) return table
  return `${table}\n\n${paint.dim(`More: --cursor ${list.next_cursor}`)}`
}

function cells(row: TaskRowView, paint: Paint): string[] {
  return [
    row.id,
    moment(row.opened_ms),
    fitText(row.contract, 20),
    statusText(row, paint),
    duration(row.latency_ms),
    costText(row),
    count(row.steps),
    count(row.attempts),
    [row.degraded ? 'degraded' : '', row.escalated ? 'escalated' : '']
      .filter((word) => word !== '')
      .join(' '),
  ]
}

function statusText(row: TaskRowView, paint: Paint): string {
  if (row.harm === true) return paint.red('harmful')
  // The application may call it done and the contract may still not call it a success.
  if (row.status === 'succeeded')
    return row.success === false ? paint.yellow('no success') : paint.green('succeeded')
  return row.status === 'open' ? paint.cyan('open') : paint.red(row.status)
}

/** A cost with calls of unknown price in it is a lower bound. */
function costText(row: TaskRowView): string {
  if (row.unpriced_calls === 0) return dollars(row.cost_usd)
  return row.cost_usd === 0 ? UNKNOWN : `>${dollars(row.cost_usd)}`
}
