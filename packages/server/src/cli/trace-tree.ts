// A task as a tree: what it was allowed and used, its steps on a time line, the attempts under them with what
// they cost, the choices made on the way, and how it ended.

import type {
  AttemptView,
  LimitsJson,
  OutcomeView,
  StepView,
  TaskTraceView,
  TaskView,
} from '@spillway/protocol'
import { isObject } from '../core/json.js'
import { UNKNOWN, bar, count, dollars, duration, moment } from './format.js'
import type { Paint } from './paint.js'

const BAR_WIDTH = 20

export function isTrace(body: unknown): body is TaskTraceView {
  return (
    isObject(body) &&
    isObject(body['task']) &&
    Array.isArray(body['steps']) &&
    Array.isArray(body['outcomes'])
  )
}

export function renderTrace(trace: TaskTraceView, paint: Paint): string {
  const recovered = recoveredCharges(trace)
  const branches = [
    ...trace.steps.map((step) => stepLines(step, trace, paint)),
    ...recovered.map(({ step_number: number, attempt }) => [
      `${paint.yellow('recovered charge')} of step ${number}`,
      ...attemptLines(attempt, paint),
    ]),
    ...trace.children.map((child) => [`sub-task ${child}`]),
    ...trace.outcomes.map((outcome) => outcomeLines(outcome, paint)),
  ]
  return [taskLine(trace.task, paint), ...budgetLines(trace.task, paint), ...tree(branches, paint)].join('\n')
}

/** Charges settled after the process that made them died: no step tells of them. */
function recoveredCharges(trace: TaskTraceView): TaskTraceView['charges'] {
  const told = new Set(trace.steps.flatMap((step) => step.attempts.map((attempt) => attempt.id)))
  return trace.charges.filter((charge) => !told.has(charge.attempt.id))
}

function taskLine(task: TaskView, paint: Paint): string {
  const cost =
    task.unpriced_calls === 0 ? dollars(task.cost_usd) : `>${dollars(task.cost_usd)} (${unpriced(task)})`
  const parts = [
    `tenant ${task.tenant}`,
    `release ${task.release}`,
    statusText(task, paint),
    duration(task.outcome?.latency_ms ?? null),
    cost,
  ]
  const named = [
    ...(task.session === null ? [] : [`session ${task.session}`]),
    ...(task.external_id === null ? [] : [`external id ${task.external_id}`]),
    ...(task.parent === null ? [] : [`sub-task of ${task.parent}`]),
  ]
  const head = `${paint.bold(task.contract)} ${task.id}`
  return `${head}\n${parts.join(' · ')}\n${paint.dim([`opened ${moment(task.opened_ms)} UTC`, ...named].join(' · '))}`
}

function unpriced(task: TaskView): string {
  return `${task.unpriced_calls} call${task.unpriced_calls === 1 ? '' : 's'} of unknown price`
}

function statusText(task: TaskView, paint: Paint): string {
  if (task.outcome?.harm === true) return paint.red(`${task.status}, harmful`)
  if (task.status === 'open') return paint.cyan('open')
  if (task.status !== 'succeeded') return paint.red(task.status)
  return task.outcome?.success === false ? paint.yellow('succeeded, not a success') : paint.green('succeeded')
}

function budgetLines(task: TaskView, paint: Paint): string[] {
  const { spent, limits } = task.budget
  const used = (name: string, value: string, limit: string | null) => `${name} ${value}/${limit ?? '∞'}`
  const whole = (name: keyof LimitsJson, label: string) =>
    spent[name] === 0 && limits[name] === null
      ? []
      : [used(label, count(spent[name]), boundText(limits[name]))]
  const parts = [
    ...whole('model_calls', 'calls'),
    ...whole('input_tokens', 'tokens in'),
    ...whole('output_tokens', 'out'),
    ...whole('tool_calls', 'tools'),
    ...whole('tool_ms', 'tool ms'),
    used('cost', dollars(spent.cost_usd), limits.cost_usd === null ? null : dollars(limits.cost_usd)),
    used('time', duration(task.outcome?.latency_ms ?? null), duration(task.deadline_ms - task.opened_ms)),
  ]
  return [paint.dim(`budget  ${parts.join(' · ')}`)]
}

function boundText(limit: number | null): string | null {
  return limit === null ? null : count(limit)
}

/** Lines of one step: itself, its decisions, its attempts. */
function stepLines(step: StepView, trace: TaskTraceView, paint: Paint): string[] {
  const offsetMs = step.started_ms - trace.task.opened_ms
  const totalMs =
    Math.max(...trace.steps.map((one) => one.started_ms + one.duration_ms)) - trace.task.opened_ms
  const line = bar({ fromMs: offsetMs, forMs: step.duration_ms }, totalMs, BAR_WIDTH)
  const name = step.kind === 'model' ? step.name : `${step.kind} ${step.name}`
  const time = `+${duration(offsetMs)} ${duration(step.duration_ms)}`
  const failed = step.error === null ? '' : ` ${paint.red(step.error)}`
  return [
    `${paint.cyan(line)} ${paint.bold(`${step.number} ${name}`)} ${time}${failed}`,
    ...detailLine(step, paint),
    ...step.unknown_rules.map((rule) => paint.yellow(`rule without its facts: ${rule}`)),
    ...step.decisions.map((decision) => {
      const inputs = decision.inputs === undefined ? '' : ` ${JSON.stringify(decision.inputs)}`
      return paint.dim(`${decision.stage}: ${decision.choice} (${decision.reason})${inputs}`)
    }),
    ...step.attempts.flatMap((attempt) => attemptLines(attempt, paint)),
  ]
}

function detailLine(step: StepView, paint: Paint): string[] {
  const cached = step.cache === 'exact' || step.cache === 'semantic'
  const parts = [
    ...(step.model === null ? [] : [`${step.model}${step.tier === null ? '' : ` (${step.tier})`}`]),
    ...(step.route === null ? [] : [`route ${step.route}`]),
    // Nothing is missing here: on a device a call has no charge.
    ...(step.route === 'on-device' && step.other_cost_usd === 0 ? ['no cost'] : []),
    ...(cached ? [paint.green(`${step.cache} cache, ${duration(step.cache_age_ms)} old`)] : []),
    ...(step.degraded.length === 0 ? [] : [paint.yellow(`degraded: ${step.degraded.join(', ')}`)]),
    ...(step.escalated ? [paint.yellow('escalated')] : []),
    ...(step.streamed ? ['streamed'] : []),
    ...(step.first_byte_ms === null ? [] : [`first byte ${duration(step.first_byte_ms)}`]),
    ...(step.finish_reason === null ? [] : [`finish ${step.finish_reason}`]),
    ...(step.other_cost_usd === 0 ? [] : [`cost ${dollars(step.other_cost_usd)}`]),
  ]
  return parts.length === 0 ? [] : [parts.join(' · ')]
}

function attemptLines(attempt: AttemptView, paint: Paint): string[] {
  const ended = attempt.end === 'ok' ? paint.green('ok') : paint.red(attempt.end)
  const status = attempt.status === 0 ? ended : `${attempt.status} ${ended}`
  const purpose = attempt.purpose === 'answer' ? '' : ` ${attempt.purpose}`
  const parts = [status, duration(attempt.duration_ms), tokensText(attempt.tokens), costText(attempt, paint)]
  const simulated = attempt.simulated ? [paint.dim('simulated')] : []
  const line = `attempt ${attempt.number}${purpose} ${attempt.deployment}: ${[...parts, ...simulated].join(' · ')}`
  if (attempt.disputed === null) return [line]
  const claim = (value: number | null) => count(value)
  const { input, output, total } = attempt.disputed
  const claims = `${claim(input)} in, ${claim(output)} out, ${claim(total)} in all`
  return [line, paint.yellow(`not believed: the provider claimed ${claims}`)]
}

function tokensText(tokens: AttemptView['tokens']): string {
  const used = Object.entries(tokens).filter(([, tokenCount]) => tokenCount > 0)
  if (used.length === 0) return 'no tokens'
  return used.map(([name, tokenCount]) => `${name.replaceAll('_', ' ')} ${count(tokenCount)}`).join(', ')
}

function costText(attempt: AttemptView, paint: Paint): string {
  if (attempt.basis === 'none') return 'not charged'
  const book = attempt.price_book === null ? '' : `, ${attempt.price_book}`
  if (attempt.cost_usd === null) {
    return paint.yellow(`price ${UNKNOWN}, budget charged ${dollars(attempt.charged_usd)} (${attempt.basis})`)
  }
  return `${dollars(attempt.cost_usd)} (${attempt.basis}${book})`
}

function outcomeLines(outcome: OutcomeView, paint: Paint): string[] {
  const verdict = outcome.success ? paint.green('success') : paint.red('no success')
  const slo = outcome.slo_met === null ? [] : [outcome.slo_met ? 'SLO met' : paint.yellow('SLO missed')]
  const priced = [`price ${dollars(outcome.price_usd)}`, `margin ${dollars(outcome.margin_usd)}`]
  const money = outcome.price_usd === null ? [] : priced
  const score = outcome.score === null ? [] : [`score ${outcome.score}`]
  const harm = outcome.harm ? [paint.red('harm')] : []
  const parts = [verdict, ...harm, ...slo, ...score, ...money, `by ${outcome.source}`]
  return [`${paint.bold('outcome')} ${outcome.status}: ${parts.join(' · ')}`, ...outcome.reasons]
}

/** Draws branches: the first line of each hangs on the trunk, the others on the first. */
function tree(branches: readonly (readonly string[])[], paint: Paint): string[] {
  return branches.flatMap((lines, index) => {
    const last = index === branches.length - 1
    const trunk = last ? '   ' : '│  '
    return lines.map((line, at) => {
      if (at === 0) return `${paint.dim(last ? '└─ ' : '├─ ')}${line}`
      return `${paint.dim(`${trunk}${at === lines.length - 1 ? '└─ ' : '├─ '}`)}${line}`
    })
  })
}
