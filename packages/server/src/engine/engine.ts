// What the engine is made of: the ports, the release that serves, and the small state that lives between
// calls.

import type { BytesPerToken } from '../core/money/bytes-per-token.js'
import type { AnswerMemory } from './answer-memory.js'
import type { Release } from '../core/release/release.js'
import type { Entry } from '../core/task/records.js'
import type { Capacity } from './capacity/capacity.js'
import type { Ceilings } from './ceilings.js'
import type { Archive, Books, Ledger, Provider, System } from './ports.js'
import type { SendToDependency } from './ports.js'
import type { PermitTable } from './dependency/permit-table.js'
import type { SloWatch } from './slo-watch.js'
import type { TaskRegistry } from './task-registry.js'

export interface Engine {
  readonly system: System
  readonly ledger: Ledger
  readonly books: Books
  readonly archive: Archive
  readonly tasks: TaskRegistry
  readonly capacity: Capacity
  readonly ceilings: Ceilings
  readonly answers: AnswerMemory
  /**
   * Bytes per token, learned per upstream model from settled usage. Bounded by the number of configured
   * models.
   */
  readonly bytesPerToken: Map<string, BytesPerToken>
  readonly premiumShare: PremiumCounters
  readonly slo: SloWatch
  readonly permits: PermitTable
  readonly sendToDependency: SendToDependency
  /** The release new tasks start under. A running task keeps its own. */
  release(): Release
  provider(release: Release, name: string): Provider | undefined
  /** Metrics and spans see every entry; they never hold one up. */
  observe(entry: Entry): void
}

/** Calls and premium calls per contract since start, for the share ceiling. */
export class PremiumCounters {
  readonly #counts = new Map<string, { calls: number; premiumCalls: number }>()

  count(contract: string, isPremium: boolean): void {
    const known = this.#counts.get(contract)
    const counts = known ?? { calls: 0, premiumCalls: 0 }
    if (known === undefined) this.#counts.set(contract, counts)
    counts.calls += 1
    if (isPremium) counts.premiumCalls += 1
  }

  of(contract: string): { readonly calls: number; readonly premiumCalls: number } {
    return this.#counts.get(contract) ?? { calls: 0, premiumCalls: 0 }
  }
}

/** Writes an entry into the books and shows it to telemetry: the only way anything is recorded. */
export function record(engine: Engine, entry: Entry): void {
  engine.books.write(entry)
  engine.observe(entry)
}
