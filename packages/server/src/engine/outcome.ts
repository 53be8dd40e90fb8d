// How a task ends: by its one call, by the application's word (also a late or a second one), or by its
// deadline.

import { type Facts, type Verdict as RuleVerdict, namesRead } from '../core/release/rule.js'
import type { OutcomeJudged } from '../core/task/records.js'
import { runChecks } from '../core/task/checks.js'
import { endFacts } from '../core/task/facts.js'
import { judgeOutcome } from '../core/task/judge-outcome.js'
import { type Engine, record } from './engine.js'
import { NO_FACTS, closeTask } from './open-task.js'
import type { Task, TaskAnswer } from './task-registry.js'

/** What the application says about a task, or nothing when the contract judges alone. */
export interface Verdict {
  readonly status: 'succeeded' | 'failed' | 'abandoned'
  /** The application's final output, when it differs from the last answer. */
  readonly output: unknown
  readonly evidence: readonly unknown[]
  readonly score: number | null
  readonly reason: string | null
}

/** The caller closes the task (`closeTask`) once nobody needs its account any more. */
export function endTask(
  engine: Engine,
  task: Task,
  by: { readonly source: OutcomeJudged['source']; readonly verdict: Verdict | null },
): OutcomeJudged {
  const outcome = judge(engine, task, by)
  engine.slo.judged(task.contract, outcome, task.outcome)
  task.outcome = outcome
  task.status = outcome.status
  record(engine, outcome)
  return outcome
}

function judge(
  engine: Engine,
  task: Task,
  by: { readonly source: OutcomeJudged['source']; readonly verdict: Verdict | null },
): OutcomeJudged {
  const { verdict } = by
  const nowMs = engine.system.nowMs()
  // A verdict that comes an hour later says nothing about how long the user waited.
  const latencyMs = (task.lastStepEndedMs ?? nowMs) - task.openedMs
  const answer = answerOf(task, verdict)
  const facts = factsOf(task, { answer, verdict, latencyMs })
  const rules = judgeRules(task, facts)
  const judged = judgeOutcome({
    contract: task.contract,
    verdictOf: ({ source }) => rules?.[source] ?? 'unknown',
    delivered: deliveredOf(task, answer),
    verdict: verdict?.status ?? null,
    latencyMs,
  })
  const outcome: { -readonly [K in keyof OutcomeJudged]: OutcomeJudged[K] } = {
    kind: 'outcome-judged',
    task: task.id,
    atMs: nowMs,
    status: judged.status,
    source: by.source,
    success: judged.success,
    harm: judged.harm,
    reasons: verdict?.reason ? [...judged.reasons, verdict.reason] : judged.reasons,
    score: verdict?.score ?? null,
    evidence: verdict?.evidence ?? [],
    latencyMs,
    sloMet: judged.sloMet,
    nanoUsd: task.nanoUsd,
    unpricedCalls: task.unpricedCalls,
    priceNanoUsd: judged.priceNanoUsd,
  }
  if (rules !== null) outcome.rules = rules
  return outcome
}

/**
 * By source; null when there are none. A fact that is gone (answers are not stored) leaves the verdict of the
 * time when it was there.
 */
function judgeRules(task: Task, facts: Facts): Readonly<Record<string, RuleVerdict>> | null {
  const { success, harm } = task.contract
  if (success.length === 0 && harm.length === 0) return null
  const verdicts: Record<string, RuleVerdict> = {}
  for (const rules of [success, harm]) {
    for (const rule of rules) {
      const now = rule.evaluate(facts)
      verdicts[rule.source] = now === 'unknown' ? (task.outcome?.rules?.[rule.source] ?? now) : now
    }
  }
  return verdicts
}

function deliveredOf(task: Task, answer: TaskAnswer | null): 'answer' | 'refine' | 'nothing' {
  if (answer !== null) return answer.refined ? 'refine' : 'answer'
  return task.outcome?.success === true ? 'answer' : 'nothing'
}

/** The application's own output stands for the answer when it gives one. */
function answerOf(task: Task, verdict: Verdict | null): TaskAnswer | null {
  if (verdict?.output === undefined || verdict.output === null) return task.answer
  const text = typeof verdict.output === 'string' ? verdict.output : JSON.stringify(verdict.output)
  const rest = task.answer ?? { finishReason: 'stop', toolCalls: [], jsonSchema: null }
  return { ...rest, text, refined: false }
}

function factsOf(
  task: Task,
  known: { readonly answer: TaskAnswer | null; readonly verdict: Verdict | null; readonly latencyMs: number },
) {
  const { answer, verdict, latencyMs } = known
  const { success, harm } = task.contract
  if (success.length === 0 && harm.length === 0) return NO_FACTS
  const names = harm.length === 0 ? namesRead(success) : [...namesRead(success), ...namesRead(harm)]
  const isChecked = answer !== null && names.includes('checks')
  return endFacts(
    {
      task: task.contract.name,
      tenant: task.tenant.name,
      attributes: task.attributes,
      signals: task.signals,
      output: answer,
      checks: isChecked ? runChecks({ ...answer, schema: answer.jsonSchema }) : null,
      evidence: verdict?.evidence ?? [],
      verdict:
        verdict === null ? null : { status: verdict.status, score: verdict.score, reason: verdict.reason },
      costNanoUsd: task.nanoUsd,
      latencyMs,
      degraded: task.degraded,
      escalated: task.escalated,
      modelCalls: task.modelCalls,
    },
    names,
  )
}

/** Ends tasks whose time is up and that nobody is working on, one second at a time. */
export function sweepExpired(engine: Engine): void {
  engine.system.after(SWEEP_MS, () => {
    sweep(engine)
    sweepExpired(engine)
  })
}

const SWEEP_MS = 1_000

function sweep(engine: Engine): void {
  for (const task of engine.tasks.expired(engine.system.nowMs())) {
    endTask(engine, task, { source: 'deadline', verdict: null })
    closeTask(engine, task)
  }
}
