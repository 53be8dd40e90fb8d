// How much is given up, in a planned order, while more arrives than can be served: from a pressure to a
// level, one step at a time and with hysteresis, and from the level to what becomes of a call.

import type { Criticality } from './demand.js'

/** What is given up at each level, from 1; each level keeps what those below gave up. */
export const OVERLOAD_STEPS = [
  'hedges_off',
  'sheddable_off',
  'output_lowered',
  'smaller_model',
  'batch_lane',
  'sheddable_plus_off',
] as const
export type OverloadStep = (typeof OVERLOAD_STEPS)[number]

/** Between two steps in the same direction, ms. */
const STEP_MS = 1_000

/** The pressure has to be low for this long before the first step back, ms. */
const CALM_MS = 3_000

/** Above 1 a level is added, below this one is taken back. */
const CALM_PRESSURE = 0.5

/** So many of the calls that matter are refused when the pressure is 1. */
const REFUSED_SHARE = 0.05

export interface Pressure {
  /** How long a critical call that comes now would wait, ms. */
  readonly waitMs: number
  /** How long one may wait, ms. */
  readonly targetMs: number
  /** Of the critical calls of late, the share that was refused, 0..1. */
  readonly refusedShare: number
}

/** 1: as much as can be borne. */
export function pressureOf({ waitMs, targetMs, refusedShare }: Pressure): number {
  return Math.max(waitMs / targetMs, refusedShare / REFUSED_SHARE)
}

export class Overload {
  #level = 0
  #steppedMs = -Infinity
  /** Since when the pressure has been low; null: it is not. */
  #calmMs: number | null = null
  /** Time never runs backwards here. */
  #nowMs = -Infinity

  /** 0: nothing is given up. */
  get level(): number {
    return this.#level
  }

  /** What was given up last, or null. */
  get step(): OverloadStep | null {
    return OVERLOAD_STEPS[this.#level - 1] ?? null
  }

  has(step: OverloadStep): boolean {
    return this.#level > OVERLOAD_STEPS.indexOf(step)
  }

  /** How long it takes at least until a step is taken back, ms; 0: it is not taken. */
  reliefMs(step: OverloadStep): number {
    if (!this.has(step)) return 0
    return CALM_MS + (this.#level - 1 - OVERLOAD_STEPS.indexOf(step)) * STEP_MS
  }

  observe(pressure: number, nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    if (pressure >= CALM_PRESSURE) this.#calmMs = null
    else this.#calmMs ??= this.#nowMs
    if (pressure >= 1) this.#rise()
    else if (this.#calmMs !== null && this.#level > 0) this.#fall(this.#calmMs)
  }

  #rise(): void {
    if (this.#level === OVERLOAD_STEPS.length || this.#nowMs - this.#steppedMs < STEP_MS) return
    this.#level += 1
    this.#steppedMs = this.#nowMs
  }

  /** As many steps as the calm was long for: nobody may have looked meanwhile. */
  #fall(calmMs: number): void {
    const fromMs = Math.max(calmMs + CALM_MS - STEP_MS, this.#steppedMs)
    const steps = Math.min(this.#level, Math.floor((this.#nowMs - fromMs) / STEP_MS))
    if (steps <= 0) return
    this.#level -= steps
    this.#steppedMs = this.#nowMs
  }
}

/** `refuse`: now. `batch`: it may wait in the lowest class until its deadline, and is not refused before. */
export type Fate = 'serve' | 'batch' | 'refuse'

/** What becomes of work of this class; `isTolerant`: its caller said that it can wait. */
export function fateOf(overload: Overload, criticality: Criticality, isTolerant: boolean): Fate {
  if (criticality === 'sheddable') {
    if (isTolerant) return 'batch'
    return overload.has('sheddable_off') ? 'refuse' : 'serve'
  }
  if (criticality !== 'sheddable_plus') return 'serve'
  if (isTolerant && overload.has('batch_lane')) return 'batch'
  return overload.has('sheddable_plus_off') ? 'refuse' : 'serve'
}
