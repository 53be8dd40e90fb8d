// Which of a model's deployments takes the call: they are interchangeable, so the freest that is not
// cooling off.

export interface DeploymentState {
  readonly id: string
  readonly inFlight: number
  /** Most calls at once; null: no limit is known. */
  readonly concurrency: number | null
  /** Not to be called before this instant; 0 when it is well. */
  readonly coolUntilMs: number
  /** Rises with every use, of whatever origin (a counter, a time); 0 = never used. */
  readonly lastUsed: number
}

export type DeploymentOrder =
  /** Those that may be called now, best first. */
  | { readonly kind: 'ready'; readonly order: readonly string[] }
  /** None is free, but those in `order` are only busy: wait for a call to end. */
  | { readonly kind: 'busy'; readonly order: readonly string[] }
  /** All are cooling: the first to be ready, and how long that takes. */
  | { readonly kind: 'cooling'; readonly id: string; readonly waitMs: number }
  | { readonly kind: 'none' }

/** Without a known limit, load is compared as if this many calls at once were full. */
const ASSUMED_CONCURRENCY = 64

/**
 * Least loaded share first; on a tie the one that has rested longest, which is round-robin among the idle.
 */
export function orderDeployments(states: readonly DeploymentState[], nowMs: number): DeploymentOrder {
  const warm = states.filter((state) => state.coolUntilMs <= nowMs).sort(byLoad)
  const free = warm.filter((state) => state.concurrency === null || state.inFlight < state.concurrency)
  if (free.length > 0) return { kind: 'ready', order: free.map((state) => state.id) }
  if (warm.length > 0) return { kind: 'busy', order: warm.map((state) => state.id) }
  const [earliest] = [...states].sort((a, b) => a.coolUntilMs - b.coolUntilMs || byLoad(a, b))
  if (earliest === undefined) return { kind: 'none' }
  return { kind: 'cooling', id: earliest.id, waitMs: earliest.coolUntilMs - nowMs }
}

function byLoad(a: DeploymentState, b: DeploymentState): number {
  return loadShare(a) - loadShare(b) || a.lastUsed - b.lastUsed || (a.id < b.id ? -1 : 1)
}

function loadShare({ inFlight, concurrency }: DeploymentState): number {
  return inFlight / Math.max(1, concurrency ?? ASSUMED_CONCURRENCY)
}
