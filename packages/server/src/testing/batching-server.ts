// A model server that works in steps, in virtual time, behind a queue that drops what waited too long: a step
// takes longer the more sequences run and the more prompts it reads. What a concurrency limit is tested on.

export interface ServerShape {
  readonly stepMs: number
  readonly perRunningMs: number
  readonly perPromptTokenMs: number
  readonly sequencesMax: number
}

export const BATCHING_SERVER: ServerShape = {
  stepMs: 20,
  perRunningMs: 1.2,
  perPromptTokenMs: 0.1,
  sequencesMax: 128,
}

export interface Arrival {
  readonly atMs: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What stands between the queue and the server. */
export interface Gate {
  hasRoom(arrival: Arrival): boolean
  begin(arrival: Arrival, nowMs: number): void
  firstToken(arrival: Arrival, firstTokenMs: number, nowMs: number): void
  generated(frames: number): void
  end(arrival: Arrival, took: { firstTokenMs: number; durationMs: number }, nowMs: number): void
  /** Once per step, for looking. */
  look?(nowMs: number): void
}

export interface Answered extends Arrival {
  readonly firstTokenMs: number
  readonly perTokenMs: number
  readonly endMs: number
}

export interface Scene {
  readonly server: ServerShape
  readonly arrivals: readonly Arrival[]
  readonly gate: Gate
  /** Waited for a place longer than this: dropped, ms. */
  readonly patienceMs: number
  readonly untilMs: number
  /** How many times slower steps are at a moment. Default 1. */
  readonly slowness?: (nowMs: number) => number
}

interface Sequence {
  readonly arrival: Arrival
  readonly sentMs: number
  firstMs: number
  left: number
}

/** Everything that was answered whole by the end. */
export function simulate(scene: Scene): readonly Answered[] {
  const simulation = new Simulation(scene)
  while (simulation.nowMs < scene.untilMs) simulation.step()
  return simulation.answered
}

class Simulation {
  readonly answered: Answered[] = []
  nowMs = 0
  readonly #scene: Scene
  readonly #queue: Arrival[] = []
  /** Sent, and not yet running. */
  readonly #sent: Sequence[] = []
  #running: Sequence[] = []
  #next = 0

  constructor(scene: Scene) {
    this.#scene = scene
  }

  step(): void {
    const { server, gate, slowness } = this.#scene
    const begun = this.#sent.splice(0, Math.max(0, server.sequencesMax - this.#running.length))
    this.#running.push(...begun)
    const promptTokens = begun.reduce((sum, { arrival }) => sum + arrival.inputTokens, 0)
    const readMs = server.perPromptTokenMs * promptTokens
    const workMs = server.stepMs + server.perRunningMs * this.#running.length + readMs
    this.#arrive(this.nowMs + workMs * (slowness?.(this.nowMs) ?? 1))
    for (const sequence of this.#running) this.#generate(sequence)
    this.#running = this.#running.filter(({ left }) => left > 0)
    this.#serve()
    gate.look?.(this.nowMs)
  }

  #arrive(untilMs: number): void {
    const { arrivals } = this.#scene
    for (let at = arrivals[this.#next]; at !== undefined && at.atMs <= untilMs; at = arrivals[++this.#next]) {
      this.nowMs = Math.max(this.nowMs, at.atMs)
      this.#queue.push(at)
      this.#serve()
    }
    this.nowMs = untilMs
  }

  #serve(): void {
    const { gate, patienceMs } = this.#scene
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const isLate = this.nowMs - head.atMs > patienceMs
      if (!isLate && !gate.hasRoom(head)) return
      this.#queue.shift()
      if (isLate) continue
      gate.begin(head, Math.floor(this.nowMs))
      this.#sent.push({ arrival: head, sentMs: this.nowMs, firstMs: 0, left: head.outputTokens })
    }
  }

  #generate(sequence: Sequence): void {
    const { gate } = this.#scene
    const { arrival, sentMs } = sequence
    const { nowMs } = this
    if (sequence.firstMs === 0) {
      sequence.firstMs = nowMs
      gate.firstToken(arrival, nowMs - sentMs, Math.floor(nowMs))
    }
    gate.generated(1)
    sequence.left -= 1
    if (sequence.left > 0) return
    const { firstMs } = sequence
    gate.end(arrival, { firstTokenMs: firstMs - sentMs, durationMs: nowMs - sentMs }, Math.floor(nowMs))
    const perTokenMs = (nowMs - firstMs) / Math.max(1, arrival.outputTokens - 1)
    this.answered.push({ ...arrival, firstTokenMs: firstMs - arrival.atMs, perTokenMs, endMs: nowMs })
  }
}

export interface Load {
  readonly perSecond: number
  /** Means: sizes are spread about them, from half of it with a long tail. */
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Poisson arrivals. `random` is seeded. */
export function arrivalsOf(load: Load, untilMs: number, random: () => number): readonly Arrival[] {
  const arrivals: Arrival[] = []
  const exponential = (): number => -Math.log(1 - random())
  const size = (mean: number): number => Math.ceil(mean * (0.5 + 0.5 * exponential()))
  let atMs = 0
  while ((atMs += (exponential() * 1_000) / load.perSecond) <= untilMs) {
    arrivals.push({ atMs, inputTokens: size(load.inputTokens), outputTokens: size(load.outputTokens) })
  }
  return arrivals
}
