// A seed becomes a scenario: a small server under a bad day. Everything is drawn from one stream of dice, so
// that the seed alone tells all.

import { seededRandom } from '../fake-system.js'
import type {
  CallPlan,
  Fault,
  FaultKind,
  Pace,
  PinPlan,
  ReportPlan,
  Scenario,
  Target,
  TaskPlan,
} from './scenario.js'
import { SHAPE_NAMES, type Shape, shapeNamed } from './shapes.js'

class Dice {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  /** A whole number, both ends included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.#random() * (max - min + 1))
  }

  /** Small ones often, large ones now and then. */
  skewed(min: number, max: number): number {
    return min + Math.floor(this.#random() ** 3 * (max - min + 1))
  }

  pick<T>(all: readonly T[]): T {
    const found = all[Math.floor(this.#random() * all.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }
}

const KINDS: readonly FaultKind[] = [
  'refused',
  'vanish',
  '400',
  'context-length',
  '401',
  '404',
  '500',
  '503',
  '529',
  '429',
  '429-bare',
  '429-absurd',
  'limited',
  'stall',
  'drip',
  'freeze',
  'slow',
  'lost',
  'break',
  'silent-end',
  'in-band',
  'garbage',
  'lie',
]

/** Each so many seeds one is a long, busy day with little faults: what has to learn first has time to. */
const BUSY_EVERY = 40
export const BUSY_SEEDS: readonly number[] = Array.from(
  { length: 12 },
  (_, index) => (index + 1) * BUSY_EVERY,
)
const BUSY_SHAPES = ['replicas', 'limited', 'unpriced'] as const
const BUSY_MS = 90_000

interface Frame {
  readonly shape: Shape
  readonly isBusy: boolean
  readonly spanMs: number
}

export function randomScenario(seed: number): Scenario {
  const dice = new Dice(seed * 2_654_435_761)
  const isBusy = seed % BUSY_EVERY === 0
  const shape = shapeNamed(dice.pick(isBusy ? BUSY_SHAPES : SHAPE_NAMES))
  const spanMs = isBusy ? dice.pick([BUSY_MS, BUSY_MS / 6]) : dice.pick([500, 3_000, 8_000, 15_000])
  const frame = { shape, isBusy, spanMs }
  const tasks = Array.from({ length: dice.between(0, 4) }, (_, id) => drawTask(dice, shape, { id, spanMs }))
  const count = isBusy ? dice.between(300, 500) : dice.between(20, 60)
  return {
    seed,
    shape: shape.name,
    ledgerMs: dice.chance(0.2) ? dice.between(1, 30) : 0,
    diskMs: dice.chance(0.2) ? dice.between(1, 400) : 0,
    paces: Object.fromEntries(Object.keys(shape.providers).map((name) => [name, drawPace(dice, isBusy)])),
    faults: drawFaults(dice, frame),
    tasks,
    calls: drawCalls(dice, frame, { count, tasks }),
    ...drawInterventions(dice, frame),
    pins: drawPins(dice, frame),
    reports: drawReports(dice, tasks, spanMs),
  }
}

function drawFaults(dice: Dice, { shape, isBusy, spanMs }: Frame): readonly Fault[] {
  const count = isBusy ? dice.between(1, 4) : dice.skewed(0, 6) + dice.between(0, 2)
  const drawn = Array.from({ length: count }, () => drawFault(dice, shape, spanMs))
  if (!isBusy) return drawn
  // Now and then one call hangs or is slow: that is what hedges and guards are for.
  return drawn.map((fault) => ({
    ...fault,
    kind: dice.pick(['stall', 'drip', 'freeze', 'slow', fault.kind] as const),
    toMs: fault.fromMs + dice.between(5_000, spanMs),
    share: 0.05,
  }))
}

function drawInterventions(
  dice: Dice,
  { spanMs }: Frame,
): Pick<Scenario, 'jumps' | 'reloads' | 'diskFaults'> {
  const at = (): number => dice.between(0, spanMs)
  return {
    jumps: dice.chance(0.25) ? Array.from({ length: dice.between(1, 3) }, () => drawJump(dice, spanMs)) : [],
    reloads: dice.chance(0.25) ? [at(), at()].sort((a, b) => a - b) : [],
    diskFaults: dice.chance(0.08) ? [drawSpan(dice, spanMs, 2_000)] : [],
  }
}

function drawPins(dice: Dice, { shape, spanMs }: Frame): readonly PinPlan[] {
  if (!dice.chance(0.2)) return []
  const [{ models }] = shape.releases
  const all = [...models.values()].flatMap(({ deployments }) => deployments.map(({ id }) => id))
  return Array.from({ length: dice.between(1, 4) }, () => ({
    atMs: dice.between(0, spanMs),
    deployment: dice.pick(all),
    action: dice.pick(['open', 'drain', 'close', 'auto'] as const),
    forMs: dice.skewed(50, 20_000),
  }))
}

function drawReports(dice: Dice, tasks: readonly TaskPlan[], spanMs: number): readonly ReportPlan[] {
  return tasks
    .filter(() => dice.chance(0.3))
    .flatMap(({ id, atMs }) =>
      Array.from({ length: dice.between(1, 6) }, () => ({
        atMs: atMs + dice.between(0, spanMs),
        task: id,
        kind: dice.pick(['tool', 'retrieval'] as const),
        durationMs: dice.skewed(0, 20_000),
        costUsd: dice.chance(0.5) ? dice.skewed(0, 20_000) / 1_000_000 : 0,
      })),
    )
}

function drawSpan(dice: Dice, spanMs: number, longestMs: number): { fromMs: number; toMs: number } {
  const fromMs = dice.between(0, spanMs)
  return { fromMs, toMs: fromMs + dice.skewed(50, longestMs) }
}

function drawJump(dice: Dice, spanMs: number): Scenario['jumps'][number] {
  const size = dice.pick([40, 900, 5_000, 70_000, 3_700_000])
  return { atMs: dice.between(0, spanMs), byMs: dice.chance(0.5) ? size : -size }
}

function drawPace(dice: Dice, isBusy: boolean): Pace {
  if (isBusy)
    return {
      stepMs: dice.pick([5, 5, 30]),
      perRunningMs: 1,
      prefillMsPerToken: 0.1,
      tokensPerStep: 4,
      runningMax: 16,
    }
  return {
    stepMs: dice.pick([2, 10, 40]),
    perRunningMs: dice.pick([0, 1, 8]),
    prefillMsPerToken: dice.pick([0, 0.1, 2]),
    tokensPerStep: dice.pick([2, 5, 12]),
    runningMax: dice.pick([1, 4, 16, 64]),
  }
}

function drawFault(dice: Dice, shape: Shape, spanMs: number): Fault {
  return {
    provider: dice.pick(Object.keys(shape.providers)),
    kind: dice.pick(KINDS),
    ...drawSpan(dice, spanMs, 30_000),
    share: dice.chance(0.6) ? 1 : 0.3,
    amount: dice.pick([1, 3, 10, 40]),
  }
}

function drawTask(dice: Dice, shape: Shape, of: { readonly id: number; readonly spanMs: number }): TaskPlan {
  const { id, spanMs } = of
  return {
    id,
    // Those that come first can be parents of the others.
    atMs: Math.floor((dice.between(0, spanMs) / 4) * (id / 4)),
    contract: dice.pick(shape.contracts),
    tenant: dice.pick(shape.tenants),
    parent: id > 0 && dice.chance(0.5) ? dice.between(0, id - 1) : null,
    outcomeMs: dice.chance(0.4) ? dice.between(1, spanMs * 2) : null,
  }
}

interface CallsAsk {
  readonly count: number
  readonly tasks: readonly TaskPlan[]
}

function drawCalls(dice: Dice, { shape, isBusy, spanMs }: Frame, ask: CallsAsk): readonly CallPlan[] {
  // A herd comes at one moment; else calls come as they come.
  const herdAtMs = !isBusy && dice.chance(0.3) ? dice.between(0, spanMs) : null
  const storm = !isBusy && dice.chance(0.3)
  return Array.from({ length: ask.count }, (_, id) => {
    const isHerd = herdAtMs !== null && dice.chance(0.7)
    const atMs = isHerd ? herdAtMs : dice.between(0, spanMs)
    return { ...drawCall(dice, shape, ask), id, atMs, ...drawClient(dice, storm) }
  })
}

function drawClient(
  dice: Dice,
  storm: boolean,
): Pick<CallPlan, 'retries' | 'honours' | 'hangUpMs' | 'readMs'> {
  return {
    retries: storm ? dice.between(1, 4) : dice.skewed(0, 2),
    honours: !storm && dice.chance(0.7),
    hangUpMs: dice.chance(0.12) ? dice.skewed(0, 4_000) : null,
    readMs: dice.chance(0.1) ? dice.between(20, 700) : null,
  }
}

type Question = Omit<CallPlan, 'id' | 'atMs' | 'retries' | 'honours' | 'hangUpMs' | 'readMs'>

function drawCall(dice: Dice, shape: Shape, { tasks }: CallsAsk): Question {
  const task = tasks.length > 0 && dice.chance(0.4) ? dice.pick(tasks) : null
  const target: Target =
    task !== null
      ? { kind: 'task', id: task.id }
      : dice.chance(0.2)
        ? { kind: 'model', name: dice.pick(shape.models) }
        : { kind: 'contract', name: dice.pick(shape.contracts) }
  const question = target.kind === 'contract' && dice.chance(0.3) ? dice.between(0, 5) : null
  const drawn = {
    tenant: task !== null && dice.chance(0.95) ? task.tenant : dice.pick(shape.tenants),
    wire: dice.chance(0.3) ? 'anthropic-messages' : 'openai-chat',
    stream: dice.chance(0.6),
    target,
    words: dice.skewed(3, 400),
    turns: dice.chance(0.2) ? dice.between(1, 8) : 0,
    question,
    outputTokens: dice.skewed(1, 60),
    maxTokens: dice.chance(0.5) ? dice.between(1, 80) : null,
    priority: dice.pick(['interactive', 'interactive', 'background', 'batch'] as const),
    session: dice.chance(0.3) ? `session-${dice.between(1, 4)}` : null,
  } as const
  return question === null ? drawn : { ...drawn, ...sameFor(question) }
}

/** What the body of a question that others ask too is made of. */
function sameFor(
  question: number,
): Pick<Question, 'wire' | 'stream' | 'words' | 'turns' | 'outputTokens' | 'maxTokens'> {
  const words = 5 + question
  return {
    wire: 'openai-chat',
    stream: question % 2 === 0,
    words,
    turns: 0,
    outputTokens: words,
    maxTokens: null,
  }
}
