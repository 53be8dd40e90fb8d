// The whiteboard's numbers: cost per successful task and what drives it.

export interface ReportFilter {
  readonly sinceMs: number
  readonly untilMs: number
  readonly by: 'contract' | 'tenant' | 'release' | 'model' | 'none'
  readonly tenant?: string
  readonly contract?: string
}

/** Raw sums over the ended tasks of one group; `summariseGroup` turns them into what is shown. */
export interface ReportGroup {
  readonly group: string
  /** Tasks opened in the window. */
  readonly tasks: number
  /** Of them, those with an outcome. */
  readonly ended: number
  readonly successes: number
  readonly harms: number
  /** Everything spent on the group's tasks, failed ones included, nano-USD. */
  readonly nanoUsd: number
  /** Sum over ended tasks of cost squared, USD²: for the interval. */
  readonly costSquaredUsd: number
  /** Sum of cost (USD) over successful tasks: with the above enough for the ratio's interval. */
  readonly costOfSuccessesUsd: number
  readonly priceNanoUsd: number | null
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null
  /** Of the ended tasks that have a latency target: how many met it. null when none has one. */
  readonly sloMet: number | null
  readonly sloJudged: number
  readonly degraded: number
  readonly escalated: number
  readonly cacheHits: number
  readonly modelCalls: number
  readonly unpricedCalls: number
  readonly attempts: number
  readonly premiumCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly refused: number
  readonly simulated: boolean
}

/** The sums over no task: a group of which only refusals are known. */
export const NO_TASKS: Omit<ReportGroup, 'group'> = {
  tasks: 0,
  ended: 0,
  successes: 0,
  harms: 0,
  nanoUsd: 0,
  costSquaredUsd: 0,
  costOfSuccessesUsd: 0,
  priceNanoUsd: null,
  latencyMs: null,
  sloMet: null,
  sloJudged: 0,
  degraded: 0,
  escalated: 0,
  cacheHits: 0,
  modelCalls: 0,
  unpricedCalls: 0,
  attempts: 0,
  premiumCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  refused: 0,
  simulated: false,
}
