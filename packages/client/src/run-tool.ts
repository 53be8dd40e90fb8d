// Tools that the application runs itself: timed, bounded by the budget and the deadline, and reported as a
// step.

import { type LimitsJson, REQUEST_LIMITS, type ReportedStep } from '@spillway/protocol'
import type { Clock } from './clock.js'
import { nameOfError, plainJson } from './outcome-values.js'
import { SpillwayError } from './spillway-error.js'
import { untilAborted } from './until-aborted.js'

export interface ToolRun<Output> {
  readonly name: string
  readonly input: unknown
  readonly run: (signal: AbortSignal) => Promise<Output> | Output
}

export interface ToolContext {
  readonly clock: Clock
  readonly taskId: string
  readonly signal: AbortSignal
  /** What is left, tools that are running now taken off. */
  readonly remaining: LimitsJson
  readonly report: (step: ReportedStep) => Promise<void>
}

/**
 * Runs the tool and reports it, whatever comes of it. Rejects with the tool's own error; with
 * `budget.exhausted` when no tool call is left (the tool is not run) or the tool time is used up; with the
 * task's reason when it is over.
 */
export async function runTool<Output>(context: ToolContext, tool: ToolRun<Output>): Promise<Output> {
  const { clock, remaining, signal, taskId } = context
  if (remaining.tool_calls !== null && remaining.tool_calls < 1) throw exhausted('tool calls', taskId)
  const limit = new AbortController()
  const stopTimer =
    remaining.tool_ms === null
      ? () => undefined
      : clock.after(remaining.tool_ms, () => limit.abort(exhausted('tool time', taskId)))
  const toolSignal = AbortSignal.any([signal, limit.signal])
  const startedMs = clock.now()
  const stepOf = (end: Partial<ReportedStep>): ReportedStep => ({
    kind: 'tool',
    name: tool.name,
    started_at: new Date(startedMs).toISOString(),
    duration_ms: Math.max(0, clock.now() - startedMs),
    ...jsonMember('input', tool.input),
    ...end,
  })
  let output: Output
  try {
    output = await untilAborted(toolSignal, () => tool.run(toolSignal))
  } catch (error) {
    await context.report(stepOf({ error: { name: nameOfError(error) } }))
    throw error
  } finally {
    stopTimer()
  }
  await context.report(stepOf(jsonMember('output', output)))
  return output
}

function jsonMember(key: 'input' | 'output', value: unknown): Partial<ReportedStep> {
  const json = plainJson(value, REQUEST_LIMITS.stepValueBytesMax)
  return json === undefined ? {} : { [key]: json }
}

function exhausted(what: string, taskId: string): SpillwayError {
  return new SpillwayError({
    code: 'budget.exhausted',
    status: 429,
    message: `The task has no ${what} left.`,
    taskId,
  })
}
