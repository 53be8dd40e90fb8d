// Of several deployments, those that get on with what they have. One that lags is tried now and again, and
// taken when there is no other.

import type { DeploymentState } from './deployment-state.js'

export interface Candidate {
  readonly state: DeploymentState
  /** 0: it may be called now. */
  readonly waitMs: number
}

/** Those to choose from; a lagging one whose turn it is to be tried comes alone. */
export function preferSteady<C extends Candidate>(candidates: readonly C[], nowMs: number): readonly C[] {
  let [steady, lagging] = [0, 0]
  for (const { state, waitMs } of candidates) {
    if (waitMs > 0) continue
    if (state.pace.progress.lags(nowMs)) lagging += 1
    else steady += 1
  }
  if (lagging === 0 || steady === 0) return candidates
  const isLagging = ({ state, waitMs }: C): boolean => waitMs === 0 && state.pace.progress.lags(nowMs)
  const due = candidates.find((each) => isLagging(each) && each.state.pace.progress.mayTry(nowMs))
  if (due === undefined) return candidates.filter((each) => !isLagging(each))
  due.state.pace.progress.tried(nowMs)
  return [due]
}
