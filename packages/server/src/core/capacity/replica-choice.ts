// Which replica takes a prompt that one of them may have warm. Everything is counted in milliseconds:
// waiting, computing what is not warm, and generating. The warm replica keeps its conversation while it is
// not much worse than the best and in time for the first token, and never beyond its share of the work: a
// hot prefix then becomes warm elsewhere too.

/** What is known of a replica at this moment. */
export interface Replica {
  /** Tokens of this prompt that it has warm. */
  readonly matchedTokens: number
  /** Predicted wait before it begins with this prompt, ms. */
  readonly queueWaitMs: number
  /** Computing one token of the prompt that is not warm, ms. */
  readonly prefillMsPerToken: number
  /** Generating one token with one call more than now, ms. */
  readonly perTokenMs: number
  /** What a call more adds to each step of all others, ms: its share of the work. */
  readonly perTokenWorkMs: number
  /** Work sent there lately, ms (`ReplicaLoad`). */
  readonly workMs: number
}

export interface ReplicaAsk {
  readonly promptTokens: number
  readonly outputTokens: number
  /** Target for the first token, ms; null: none is set. */
  readonly firstTokenTargetMs: number | null
}

export interface ReplicaChoice {
  /** Position in the list. */
  readonly index: number
  /**
   * `warm`: it has (most of) the prompt. `cold`: nobody has any of it. `cheaper`: waiting for the warm one
   * costs more than computing the prompt again. `balance`: the warm one has more than its share of the work.
   */
  readonly reason: 'warm' | 'cold' | 'cheaper' | 'balance'
  /** Computing what the chosen replica has not warm, ms. */
  readonly prefillMs: number
  /** What the call adds to its work, ms. */
  readonly workMs: number
}

/** A warm replica may have this times the mean of the work (Mooncake and SGLang balance alike). */
export const WORK_BOUND = 1.25
/**
 * A token that is computed again holds up everybody behind it, and takes the room of what somebody else has
 * warm: it counts this times its own time. From 6 on the traces of `bench:capacity -- affinity` keep 90 % of
 * what an unlimited cache would have; tails grow from 15 on.
 */
const RECOMPUTE_WEIGHT = 8
/** The warm one may be worse by this, ms, or by this share of the target (llm-d's penalty). */
const STICKY_MS = 200
const STICKY_SHARE = 0.2
/** Replicas whose costs differ by less are equal, and the one with less work is taken. */
const EQUAL_SHARE = 0.05

export function chooseReplica(replicas: readonly Replica[], ask: ReplicaAsk): ReplicaChoice {
  const bound = workBound(replicas)
  const warm = warmest(replicas, ask)
  const best = Math.max(0, cheapest(replicas, ask, { workMs: bound, firstTokenMs: Infinity }))
  if (warm === -1) return chosen(replicas, ask, { index: best, reason: 'cold' })
  const affine = replicas[warm] as Replica
  if (affine.workMs > bound) return chosen(replicas, ask, { index: best, reason: 'balance' })
  const { firstTokenTargetMs: targetMs } = ask
  if (targetMs !== null && firstTokenMs(affine, ask) > targetMs) {
    const inTime = cheapest(replicas, ask, { workMs: bound, firstTokenMs: targetMs })
    if (inTime !== -1) return chosen(replicas, ask, { index: inTime, reason: 'cheaper' })
  }
  const margin = Math.max(STICKY_MS, STICKY_SHARE * (targetMs ?? 0))
  const isWorse = costMs(affine, ask) > costMs(replicas[best] as Replica, ask) + margin
  return chosen(replicas, ask, isWorse ? { index: best, reason: 'cheaper' } : { index: warm, reason: 'warm' })
}

function chosen(
  replicas: readonly Replica[],
  ask: ReplicaAsk,
  { index, reason }: Pick<ReplicaChoice, 'index' | 'reason'>,
): ReplicaChoice {
  const replica = replicas[index] as Replica
  const computing = prefillMs(replica, ask)
  const generating = replica.perTokenWorkMs * ask.outputTokens
  return { index, reason, prefillMs: computing, workMs: computing + generating }
}

function firstTokenMs(replica: Replica, ask: ReplicaAsk): number {
  return replica.queueWaitMs + prefillMs(replica, ask)
}

/** Until the last token, ms, and what the others lose by it. */
function costMs(replica: Replica, ask: ReplicaAsk): number {
  const generating = replica.perTokenMs * ask.outputTokens
  return replica.queueWaitMs + RECOMPUTE_WEIGHT * prefillMs(replica, ask) + generating
}

function prefillMs(replica: Replica, ask: ReplicaAsk): number {
  return replica.prefillMsPerToken * Math.max(0, ask.promptTokens - replica.matchedTokens)
}

/**
 * As much as a replica has in a minute and a half when it is busy for less than a third of the time: then
 * more than a fair share does no harm, and what waits is seen as waiting.
 */
const FREE_WORK_MS = 25_000

function workBound(replicas: readonly Replica[]): number {
  let sum = 0
  for (const { workMs: work } of replicas) sum += work
  return Math.max(FREE_WORK_MS, (WORK_BOUND * sum) / replicas.length)
}

/** The one with most of the prompt, the cheapest of several; -1: nobody has any. */
function warmest(replicas: readonly Replica[], ask: ReplicaAsk): number {
  let found = -1
  for (let index = 0; index < replicas.length; index += 1) {
    const replica = replicas[index] as Replica
    if (replica.matchedTokens <= 0) continue
    const held = replicas[found]
    if (held === undefined || replica.matchedTokens > held.matchedTokens) found = index
    else if (replica.matchedTokens === held.matchedTokens && costMs(replica, ask) < costMs(held, ask)) {
      found = index
    }
  }
  return found
}

interface Limits {
  readonly workMs: number
  readonly firstTokenMs: number
}

/** Of those within the bound and, if one is given, in time. -1: none is. */
function cheapest(replicas: readonly Replica[], ask: ReplicaAsk, limits: Limits): number {
  let found = -1
  for (let index = 0; index < replicas.length; index += 1) {
    const replica = replicas[index] as Replica
    // Somebody is always at or below the mean, so somebody is always within the bound.
    if (replica.workMs > limits.workMs || firstTokenMs(replica, ask) > limits.firstTokenMs) continue
    const held = replicas[found]
    if (held === undefined || isBetter(replica, held, ask)) found = index
  }
  return found
}

function isBetter(replica: Replica, held: Replica, ask: ReplicaAsk): boolean {
  const cost = costMs(replica, ask)
  const best = costMs(held, ask)
  if (Math.abs(cost - best) > EQUAL_SHARE * Math.max(cost, best)) return cost < best
  return replica.workMs < held.workMs
}
