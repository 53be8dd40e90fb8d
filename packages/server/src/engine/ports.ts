// Every port, on one page. The engine knows the world only through these; a world (live, replay, eval,
// forecast) is one choice of implementations. Each has an in-memory form in `testing/` that passes the same
// contract test.

import type { Amounts } from '../core/budget/amounts.js'
import type { Fit, FittedHold } from '../core/budget/memory-ledger.js'
import type { AccountState } from '../core/budget/remaining.js'
import type { HoldId, IdKind, TaskId } from '../core/ids.js'
import type { OwnedCost } from '../core/money/owned-hours.js'
import type { CallerWire, Wire } from '../core/release/release.js'
import type { EndedTasks } from '../core/slo/slo-counts.js'
import type { Entry } from '../core/task/records.js'
import type { ReportFilter, ReportGroup } from '../core/task/report.js'
import type {
  EventFilter,
  EventRow,
  TaskFilter,
  TaskRow,
  TaskSummary,
  TaskTrace,
} from '../core/task/views.js'
import type { ModelList } from '../wire/model-list.js'
import type { ServerLoad } from '../wire/server-load.js'

/** Clock, randomness, ids and timers: the only way the engine knows what time it is. */
export interface System {
  /** Wall-clock time, ms since 1970. */
  nowMs(): number
  /** 0 <= x < 1; seeded in tests. */
  random(): number
  newId(kind: IdKind): string
  /** Runs once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
  /** Runs at the end of this turn of the event loop, one after the other with all else that came in it. */
  atEndOfTurn(run: () => void): void
  /** SHA-256, hex. */
  sha256(text: string | Uint8Array): string
}

export interface Timer {
  cancel(): void
}

/** What goes to a provider. The body is final: nothing behind this port edits it. */
export interface UpstreamRequest {
  readonly wire: Wire
  /** Counts the tokens of the request instead of answering it; only `anthropic-messages` has this. */
  readonly countTokens?: boolean
  /** The provider's name of the model. */
  readonly model: string
  readonly body: Uint8Array
  readonly stream: boolean
  /** Format headers of the caller that must survive (`anthropic-version`, `anthropic-beta`), lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Longest wait for the response head, ms. */
  readonly headTimeoutMs: number
  /** Longest silence between two chunks of the body, ms. */
  readonly idleTimeoutMs: number
}

/** How an attempt failed below HTTP. `credentials`: there are none, and asking again changes nothing. */
export type UpstreamFailure = 'connection' | 'timeout' | 'broken' | 'aborted' | 'too-large' | 'credentials'

export interface UpstreamListener {
  /**
   * Header names are lower case. `renewed`: it is a refusal of credentials that are fetched anew now, or have
   * been since; the same call may be sent again, with others.
   */
  onHead(status: number, headers: Readonly<Record<string, string>>, renewed?: boolean): void
  onData(chunk: Uint8Array): void
  /** The body arrived whole. */
  onEnd(): void
  /** Called at most once, instead of `onEnd`. `detail` has no secrets. */
  onFailure(failure: UpstreamFailure, detail: string): void
}

export interface UpstreamCall {
  /** Closes the connection. No listener method is called afterwards. */
  abort(): void
  pause(): void
  resume(): void
}

/**
 * One configured provider. Callbacks, not promises: this is the hot path. Never calls back before `send`
 * returned.
 */
export interface Provider {
  readonly name: string
  readonly simulated: boolean
  /**
   * The format in which `model` is asked for what a caller asked in `wire`: the same where it can. null: it
   * has nothing like that.
   */
  speaks(wire: CallerWire, model: string): Wire | null
  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall
  /**
   * What it tells about itself, apart from calls and free of charge: within 5 s, and never rejects. Absent:
   * there is nobody to ask.
   */
  inspect?(): Promise<ProviderFacts>
  close(): Promise<void>
}

/** null: not told. `untold` says why, without secrets. */
export interface ProviderFacts {
  readonly models: ModelList | null
  readonly health: 'ok' | 'not-ready' | null
  readonly load: ServerLoad | null
  readonly untold: Readonly<Partial<Record<'models' | 'health' | 'load', string>>>
}

/**
 * Where limits are kept. Accounts are named: `task:<id>`, `tenant:<name>:day:2026-11-24`,
 * `premium:<task>:day:...`.
 */
export interface Ledger {
  /**
   * Makes the account, or finds it. `limits` of an existing account are replaced (a reload may change them).
   */
  open(account: string, limits: Amounts, spent?: Amounts): void
  /**
   * Reserves on all accounts or on none. `fit` is given the least that any of them has left and says how much
   * to hold, or that it does not fit; a ledger outside the process may call it again with newer figures.
   */
  holdFitting<F extends Fit>(
    id: HoldId,
    accounts: readonly string[],
    fit: (left: Amounts) => F,
  ): FittedHold<F> | Promise<FittedHold<F>>
  /** Replaces the hold by what was really used. Unknown or settled ids change nothing. */
  settle(id: HoldId, actual: Amounts): void | Promise<void>
  /** Books what was already spent elsewhere: in full, even above a limit. */
  charge(accounts: readonly string[], amounts: Amounts): void | Promise<void>
  /** The latest figures this process has: for planning and for showing. Only a hold is a promise. */
  read(account: string): AccountState | null
  close(account: string): void
}

export interface Content {
  readonly task: TaskId
  /** An empty one forgets what was stored under the reference. */
  readonly text: string
  readonly deleteAfterMs: number
  /** Default a new one. What was stored under the same reference is replaced. */
  readonly reference?: string
}

/** The durable books. `write` only queues; an answer may end when `durable` has resolved. */
export interface Books {
  write(entry: Entry): void
  /** Resolves when everything written so far survives `kill -9`. */
  durable(): Promise<void>
  /** Why nothing can be made durable at the moment, or null. Then nothing may be spent either. */
  readonly failed: Error | null
  /** Stores a prompt or answer (already cleared for storage) and returns its reference. */
  saveContent(content: Content): string
  close(): Promise<void>
}

/**
 * What the books say, for people and for tasks that are joined after a restart. Reads see everything written.
 */
export interface Archive {
  loadTask(id: TaskId): Promise<TaskSummary | null>
  trace(id: TaskId): Promise<TaskTrace | null>
  list(filter: TaskFilter): Promise<{ readonly rows: readonly TaskRow[]; readonly nextCursor: string | null }>
  report(filter: ReportFilter): Promise<readonly ReportGroup[]>
  /** Of every deployment that was owned by the hour in the window, whoever used it. */
  ownedCosts(filter: ReportFilter): Promise<readonly OwnedCost[]>
  /**
   * Tasks that ended from `sinceMs` until before `untilMs`, by contract, in order of time: the last six hours
   * by minutes, before that by hours. Of very many tasks, the last million.
   */
  endedTasks(sinceMs: number, untilMs: number): Promise<readonly ContractTasks[]>
  /** Newest first. */
  events(filter: EventFilter): Promise<readonly EventRow[]>
  /** Settled totals of a ceiling account, for start-up. */
  accountTotals(prefixes: readonly string[]): Promise<ReadonlyMap<string, Amounts>>
  /** null: never stored, forgotten, or past its time. */
  loadContent(reference: string): Promise<string | null>
}

/** How the tasks of one contract ended that ended about then. */
export interface ContractTasks extends EndedTasks {
  readonly contract: string
}

/** Where a streamed or whole answer goes: implemented by `http/`, faked in tests. */
export interface Caller {
  /** Status and headers, once, before anything else. */
  begin(status: number, headers: Readonly<Record<string, string>>): void
  /** false: the caller reads slower than we write; wait for `onDrain`. */
  write(chunk: Uint8Array | string): boolean
  end(chunk?: Uint8Array | string): void
  onDrain(run: () => void): void
  /** Runs once if the caller hangs up before `end`; at once when it has. */
  onGone(run: () => void): void
  readonly gone: boolean
  /** The head has been sent. */
  readonly begun: boolean
}

/** To a dependency that is an HTTP service. */
export interface DependencyRequest {
  readonly method: string
  readonly url: string
  /** Lower case; the dependency's own are among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

export type DependencyAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
    }
  /** `detail` has no secrets. */
  | {
      readonly kind: 'failed'
      readonly end: 'connection' | 'timeout' | 'broken' | 'too_large' | 'caller_left'
      readonly detail: string
    }

/** Never rejects. `signal` aborts it: then it ends as `caller_left`. */
export type SendToDependency = (request: DependencyRequest, signal: AbortSignal) => Promise<DependencyAnswer>
