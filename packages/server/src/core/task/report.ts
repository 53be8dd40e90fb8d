// The whiteboard's numbers: cost per successful task and what drives it.

/** Groupings of tasks: each task is in one group. */
export type TaskGrouping = 'contract' | 'tenant' | 'release' | 'model' | 'none'

/**
 * Groupings of attempts by where they went, runs on the caller's device included. A task that went to two
 * places is in both groups, with what was spent at each; what no attempt cost, and tasks that no attempt
 * answered, are in the group `none`.
 */
export const PLACE_GROUPINGS = ['approach', 'provider', 'deployment'] as const
export type PlaceGrouping = (typeof PLACE_GROUPINGS)[number]

export function isPlaceGrouping(by: ReportFilter['by']): by is PlaceGrouping {
  return PLACE_GROUPINGS.some((place) => place === by)
}

/** The group of what is at no place. */
export const NO_PLACE = 'none'
/** The approach of a deployment that the books do not know: they were written by an earlier version. */
export const UNKNOWN_APPROACH = 'unknown'

/**
 * Route of the steps that ran on the caller's own device, and the approach and provider that they count at.
 * Each is an attempt there, though nothing was held or paid for it.
 */
export const ON_DEVICE = 'on-device'
/** End of a report that there is no model on the device: nothing ran. */
export const NOT_ON_DEVICE = 'unavailable'

/** Where groups are places, work on owned deployments belongs to the tasks of the report or to others. */
export const OWN_WORK = 'own'

export interface ReportFilter {
  readonly sinceMs: number
  readonly untilMs: number
  readonly by: TaskGrouping | PlaceGrouping
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
  /** Only where groups are places. */
  readonly place?: PlaceSums
  /** Absent: no provider's cache was read from or written to. */
  readonly promptCache?: PromptCacheSums
}

/** Of the attempts of a group. */
export interface PromptCacheSums {
  /** Input tokens read from providers' caches. */
  readonly tokens: number
  /** Against the price without a cache, minus what writing cost more. Below 0: it cost more. */
  readonly savedNanoUsd: number
}

export interface MiddleAndTail {
  readonly p50: number
  readonly p95: number
}

/**
 * What a place adds. Its `tasks`, `ended` and shares of tasks are over those that had an attempt there;
 * money, calls and tokens are what was used there; successes, harms, latency, target and price are of the
 * tasks whose last answer came from there, so that they add up to all tasks.
 */
export interface PlaceSums {
  /** Tasks whose last answer came from there. */
  readonly answered: number
  /** Of the attempts that ended well, ms. */
  readonly durationMs: MiddleAndTail | null
  readonly firstByteMs: MiddleAndTail | null
  /** Sums over the attempts that ended well and whose tokens were counted. */
  readonly okDurationMs: number
  readonly okOutputTokens: number
  /** Attempts that failed for another reason than throttling. */
  readonly errors: number
  /** Attempts that were answered 429 or 529. */
  readonly throttled: number
  /** Failed attempts after which the same step was tried at another deployment. */
  readonly fallbacks: number
}

/** Statuses by which a provider says that it is asked too often, or has too much to do. */
export const THROTTLED_STATUSES: readonly number[] = [429, 529]
/** Ends that are no fault of the provider. */
export const BLAMELESS_ENDS: readonly string[] = ['ok', 'cut', 'caller_left', 'hedge_lost']

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
