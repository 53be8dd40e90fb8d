// `spillway report`: the whiteboard. Cost per successful task, margin, latency, and what drives them.

import { REPORT_GROUPINGS } from '@spillway/protocol'
import { type Command, Option } from 'commander'
import { type CliIo, processIo } from './cli-io.js'
import { type ServerOptions, show, withServerOptions } from './client.js'
import { createPaint } from './paint.js'
import { isReport, renderReport } from './report-table.js'
import { parseInstant } from './parse-options.js'

interface ReportOptions extends ServerOptions {
  readonly since: string
  readonly until?: string
  readonly by: string
  readonly contract?: string
}

export function registerReport(program: Command, io: CliIo = processIo()): void {
  const command = program
    .command('report')
    .description('the whiteboard: cost per successful task and its drivers')
  withServerOptions(command)
    .option('--since <age|time>', 'start of the window: 90m, 24h, 7d, or an ISO time', parseInstant, '24h')
    .option('--until <age|time>', 'end of the window (default: now)', parseInstant)
    .addOption(new Option('--by <what>', 'one line per').choices(REPORT_GROUPINGS).default('contract'))
    .option('--contract <name>', 'only tasks of this contract')
    .action(async (options: ReportOptions) => {
      const { since, until, by, contract } = options
      await show(io, options, {
        path: '/v1/report',
        query: { since, until, by, contract },
        render: (body) => (isReport(body) ? renderReport(body, createPaint(io.colour)) : null),
      })
    })
}
