// Which of a model's deployments takes the call: they are interchangeable, so the freest that may be called.

export interface DeploymentLoad {
  readonly id: string
  readonly inFlight: number
  /** Most calls at once; null: no limit is known. */
  readonly concurrency: number | null
  /** Rises with every use, of whatever origin (a counter, a time); 0 = never used. */
  readonly lastUsed: number
}

export interface Candidate {
  readonly state: DeploymentLoad
  /** 0: it may be called now. Infinity: when a call there has ended. Else how long until it may be, ms. */
  readonly waitMs: number
}

export type DeploymentChoice<C extends Candidate> =
  | { readonly kind: 'chosen'; readonly chosen: C }
  /** None is free: how long until the first may be. Infinity: a call has to end first, or there is none. */
  | { readonly kind: 'wait'; readonly waitMs: number }

/** Without a known limit, load is compared as if this many calls at once were full. */
const ASSUMED_CONCURRENCY = 64

/**
 * Least loaded share first; on a tie the one that has rested longest, which is round-robin among the idle.
 */
export function chooseDeployment<C extends Candidate>(candidates: readonly C[]): DeploymentChoice<C> {
  let chosen: C | null = null
  let waitMs = Infinity
  for (const candidate of candidates) {
    if (candidate.waitMs > 0) waitMs = Math.min(waitMs, candidate.waitMs)
    else if (chosen === null || byLoad(candidate.state, chosen.state) < 0) chosen = candidate
  }
  return chosen === null ? { kind: 'wait', waitMs } : { kind: 'chosen', chosen }
}

function byLoad(a: DeploymentLoad, b: DeploymentLoad): number {
  return loadShare(a) - loadShare(b) || a.lastUsed - b.lastUsed || (a.id < b.id ? -1 : 1)
}

function loadShare({ inFlight, concurrency }: DeploymentLoad): number {
  return inFlight / Math.max(1, concurrency ?? ASSUMED_CONCURRENCY)
}
