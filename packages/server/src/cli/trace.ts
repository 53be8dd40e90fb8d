// `spillway trace <id>`: everything the books know about one task, as a tree.

import type { Command } from 'commander'
import { type CliIo, processIo } from './cli-io.js'
import { type ServerOptions, show, withServerOptions } from './client.js'
import { createPaint } from './paint.js'
import { isTrace, renderTrace } from './trace-tree.js'

export function registerTrace(program: Command, io: CliIo = processIo()): void {
  const command = program.command('trace').description('one task: steps, attempts, costs, decisions, outcome')
  withServerOptions(command)
    .argument('<id>', 'the task: `x-spillway-task-id` of an answer, or from `spillway tasks`')
    .action(async (id: string, options: ServerOptions) => {
      await show(io, options, {
        path: `/v1/tasks/${encodeURIComponent(id)}/trace`,
        render: (body) => (isTrace(body) ? renderTrace(body, createPaint(io.colour)) : null),
      })
    })
}
