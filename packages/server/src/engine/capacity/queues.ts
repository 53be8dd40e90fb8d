// The queues of all models that somebody waits for, or that something is given up for.

import type { QueueSettings } from '../../core/release/capacity-settings.js'
import { ModelQueue } from './model-queue.js'
import type { OverloadChange, QueuePorts } from './queue-ask.js'

export class Queues {
  readonly #ports: QueuePorts
  /** Bounded by the models of the releases that served since the start. */
  readonly #all = new Map<string, ModelQueue>()
  readonly #active = new Map<string, ModelQueue>()

  #watch: (change: OverloadChange) => void = () => {}

  constructor(ports: Omit<QueuePorts, 'tell'>) {
    this.#ports = { ...ports, tell: (change) => this.#watch(change) }
  }

  /** `tell` is told of every level that changes from now on. */
  watch(tell: (change: OverloadChange) => void): void {
    this.#watch = tell
  }

  /** Somebody waits, or something is given up, for some model. */
  get areScarce(): boolean {
    return this.#active.size > 0
  }

  /** The queue of a model, made when first needed. */
  of(model: string, settings: QueueSettings): ModelQueue {
    const queue = this.#all.get(model) ?? new ModelQueue(model, settings, this.#ports)
    this.#all.set(model, queue)
    this.#active.set(model, queue)
    return queue
  }

  /** Of a model that somebody waits for or that is overloaded; undefined, as nearly always: of no such. */
  active(model: string, nowMs: number): ModelQueue | undefined {
    if (this.#active.size === 0) return undefined
    const queue = this.#active.get(model)
    if (queue === undefined || !queue.isCalm(nowMs)) return queue
    this.#active.delete(model)
    return undefined
  }

  /** A place has ended, wherever. */
  serve(nowMs: number): void {
    if (this.#active.size === 0) return
    const [first] = this.#active
    for (const queue of this.#active.values()) if (queue.size > 0) queue.serve(nowMs)
    if (first === undefined || this.#active.size === 1) return
    // Models that share a deployment take turns at being first.
    this.#active.delete(first[0])
    this.#active.set(...first)
  }

  /** Level of overload of a model, 0 when nothing is given up. */
  levelOf(model: string, nowMs: number): number {
    return this.active(model, nowMs)?.overload.level ?? 0
  }

  /** For `GET /v1/capacity`. */
  snapshot(nowMs: number): readonly ModelQueue[] {
    // Levels fall while nobody calls.
    for (const model of this.#active.keys()) this.active(model, nowMs)
    return [...this.#all.values()]
  }
}
