// A step the application ran itself. It has happened, so it is recorded in full even where a limit did not
// allow it; what it used is gone from the budget, and the next hold sees that.

import type { ReportedDeviceCall, ReportedStep } from '@spillway/protocol'
import { NOTHING } from '../core/budget/amounts.js'
import type { StepId } from '../core/ids.js'
import { nanoFromUsd } from '../core/money/nano.js'
import type { Decision, StepEnded } from '../core/task/records.js'
import { ON_DEVICE } from '../core/task/report.js'
import { bookStep } from './book-step.js'
import type { Engine } from './engine.js'
import type { Task } from './task-registry.js'

export async function reportStep(engine: Engine, task: Task, reported: ReportedStep): Promise<StepId> {
  const isTool = reported.kind === 'tool'
  const nanoUsd = nanoFromUsd(reported.cost_usd ?? 0)
  const toolMs = isTool ? Math.ceil(reported.duration_ms) : 0
  const ceilings = engine.ceilings.accountsFor(task, null, engine.system.nowMs())
  const accounts = [...task.accounts, ...ceilings]
  await engine.ledger.charge(accounts, { ...NOTHING, toolCalls: isTool ? 1 : 0, toolMs, nanoUsd })
  const step = bookStep(engine, task, { ...stepOf(task, reported), otherNanoUsd: nanoUsd, toolMs, accounts })
  await engine.books.durable()
  return step
}

function stepOf({ contract }: Task, reported: ReportedStep) {
  const { input, output, error, on_device: call } = reported
  return {
    step: reported.kind,
    name: reported.name,
    startedMs: Date.parse(reported.started_at),
    durationMs: reported.duration_ms,
    error: error === undefined || error === null ? null : 'reported',
    ...(call === undefined ? {} : modelFacts(call)),
    // What the application said about its own step may be a prompt or an answer: kept only where content is.
    ...(contract.record === 'content' ? { reported: { input, output, error } } : {}),
  }
}

type ModelFacts = Pick<
  StepEnded,
  'firstByteMs' | 'route' | 'model' | 'deployment' | 'escalated' | 'streamed' | 'decisions' | 'finishReason'
>

function modelFacts(call: ReportedDeviceCall): ModelFacts {
  const hasAnswered = call.end === 'answered' || call.end === 'escalated'
  // Named apart, so that no caller can report in the name of a configured model.
  const name = `${ON_DEVICE}/${call.model}`
  return {
    firstByteMs: call.first_byte_ms ?? null,
    route: ON_DEVICE,
    model: hasAnswered ? name : null,
    deployment: name,
    escalated: call.end === 'escalated',
    streamed: call.streamed ?? false,
    decisions: [decisionOf(call)],
    finishReason: call.finish_reason ?? null,
  }
}

function decisionOf({ model, end, ...told }: ReportedDeviceCall): Decision {
  const { input_tokens, output_tokens, confidence } = told
  const counted = { input_tokens, output_tokens, confidence }
  const known = Object.fromEntries(Object.entries(counted).filter(([, value]) => value !== undefined))
  return {
    stage: 'attempt',
    choice: 'on-device',
    reason: end,
    inputs: { approach: 'on-device', model, ...known },
  }
}
