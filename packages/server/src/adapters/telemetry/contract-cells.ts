// The cells of one contract, found once and then only added to.

import { usdFromNano } from '../../core/money/nano.js'
import type { AttemptRecord, OutcomeJudged, StepEnded } from '../../core/task/records.js'
import type { Families } from './families.js'
import type { CounterCell, HistogramCell } from './metric-families.js'
import { PairMap } from './pair-map.js'

export class ContractCells {
  readonly #name: string
  readonly #families: Families
  readonly #outcomes
  readonly #duration: HistogramCell
  readonly #cost: HistogramCell
  readonly #sloMet: CounterCell
  readonly #sloMissed: CounterCell
  readonly #modelSteps: CounterCell
  readonly #cache
  /** By model and provider. */
  readonly #spent = new PairMap<CounterCell>()

  constructor(name: string, families: Families) {
    this.#name = name
    this.#families = families
    const outcome = (word: string) => families.tasks.cell(name, word)
    this.#outcomes = {
      success: outcome('success'),
      failure: outcome('failure'),
      abandoned: outcome('abandoned'),
      harm: outcome('harm'),
    }
    this.#duration = families.taskDuration.cell(name)
    this.#cost = families.taskCost.cell(name)
    this.#sloMet = families.sloMet.cell(name, 'true')
    this.#sloMissed = families.sloMet.cell(name, 'false')
    this.#modelSteps = families.steps.cell(name, 'model')
    const cache = (result: string) => families.cache.cell(name, result)
    this.#cache = {
      exact: cache('exact'),
      semantic: cache('semantic'),
      miss: cache('miss'),
      off: cache('off'),
    }
  }

  /**
   * Money of an attempt, whatever became of it. An unknown price adds nothing here: it is counted as
   * unpriced.
   */
  charge(attempt: AttemptRecord): void {
    if (attempt.nanoUsd === null || attempt.nanoUsd === 0) return
    const { model, provider } = attempt
    const known = this.#spent.get(model, provider)
    const cell = known ?? this.#families.cost.cell(this.#name, model, provider)
    if (known === undefined) this.#spent.set(model, provider, cell)
    cell.value += attempt.nanoUsd
  }

  stepEnded(step: StepEnded): void {
    if (step.step === 'model') {
      this.#modelSteps.value += 1
      this.#cache[step.cache].value += 1
    } else {
      this.#families.steps.cell(this.#name, step.step).value += 1
    }
    // What follows is not the normal course, so its cells are looked up when needed.
    if (step.otherNanoUsd > 0)
      this.#families.cost.cell(this.#name, 'none', step.step).value += step.otherNanoUsd
    for (const rung of step.degraded) this.#families.degraded.cell(this.#name, rung).value += 1
    if (step.escalated) this.#families.escalations.cell(this.#name, escalationRule(step)).value += 1
    if (step.unknownRules.length > 0)
      this.#families.unknownFacts.cell(this.#name).value += step.unknownRules.length
    for (const decision of step.decisions) {
      if (decision.stage !== 'hold' || decision.choice !== 'refused') continue
      const limit = decision.inputs?.['limit']
      this.#families.holdsRefused.cell(typeof limit === 'string' ? limit : 'unknown').value += 1
    }
  }

  ended(outcome: OutcomeJudged): void {
    this.#outcomes[outcomeWord(outcome)].value += 1
    this.#duration.observe(outcome.latencyMs / 1_000)
    this.#cost.observe(usdFromNano(outcome.nanoUsd))
    if (outcome.sloMet === true) this.#sloMet.value += 1
    else if (outcome.sloMet === false) this.#sloMissed.value += 1
  }
}

function outcomeWord(outcome: OutcomeJudged): 'success' | 'failure' | 'abandoned' | 'harm' {
  if (outcome.harm) return 'harm'
  if (outcome.success) return 'success'
  return outcome.status === 'abandoned' ? 'abandoned' : 'failure'
}

/** `escalated:1` -> `1`. A rung taken after the escalation has replaced the route. */
function escalationRule(step: StepEnded): string {
  // The rule of a call on the device is the application's own.
  if (step.route === 'on-device') return 'on-device'
  return /^escalated:(\d+)$/.exec(step.route ?? '')?.[1] ?? 'unknown'
}
