// What many calls have in common is written once per journal file, and its number instead of it afterwards:
// the contract with its limits, and what a hold is made on. Each file has its own numbers, so that it can be
// read without the ones before it.

import type { HoldMade, TaskOpened } from '../../core/task/records.js'
import { sameTexts } from './call.js'
import { type PackedTerms, bit } from './packed.js'

/** Kinds of one tenant that are told apart by attributes too; more are written with the task. */
const SHARED_KINDS_MAX = 64

/** Contract, release and tenant of a task; `shared`: its limits and attributes too. */
export interface Kind {
  readonly number: number
  readonly contract: string
  readonly release: string
  readonly shared: Pick<TaskOpened, 'limits' | 'attributes'> | null
}

interface Terms {
  readonly number: number
  readonly hold: HoldMade
}

export class Dictionary {
  readonly #kinds = new Map<string, Kind[]>()
  readonly #terms = new Map<string, Terms[]>()
  readonly #seen = new WeakSet<object>()
  #kindCount = 0
  #termsCount = 0
  #definitions = ''

  /** Lines to be written before the next one that uses a new number. */
  takeDefinitions(): string {
    const lines = this.#definitions
    this.#definitions = ''
    return lines
  }

  kindOf(opened: TaskOpened): Kind {
    const kinds = listIn(this.#kinds, opened.tenant)
    for (const kind of kinds) if (isKindOf(kind, opened, true)) return kind
    // Only what a second task has as well is shared: one caller's attributes must not outlive the task.
    const isShared = kinds.length < SHARED_KINDS_MAX && this.#seen.has(opened.attributes)
    this.#seen.add(opened.attributes)
    const plain = isShared ? undefined : kinds.find((kind) => isKindOf(kind, opened, false))
    return plain ?? this.#defineKind(kinds, opened, isShared)
  }

  /** The number of what the hold is made on: accounts, deployment and price. */
  termsOf(hold: HoldMade): number {
    const known = listIn(this.#terms, hold.accounts[1] ?? '')
    for (const terms of known) if (haveSameTerms(terms.hold, hold)) return terms.number
    const number = this.#termsCount++
    known.push({ number, hold })
    this.#definitions += `T\t${JSON.stringify([number, ...packTerms(hold)])}\t\n`
    return number
  }

  #defineKind(kinds: Kind[], opened: TaskOpened, isShared: boolean): Kind {
    const { contract, release, tenant, limits, attributes } = opened
    const shared = isShared ? { limits, attributes } : null
    const kind: Kind = { number: this.#kindCount++, contract, release, shared }
    kinds.push(kind)
    const detail = shared === null ? '' : JSON.stringify(shared)
    this.#definitions += `K\t${JSON.stringify([kind.number, contract, release, tenant])}\t${detail}\n`
    return kind
  }
}

function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key)
  if (list === undefined) {
    list = []
    lists.set(key, list)
  }
  return list
}

function isKindOf({ contract, release, shared }: Kind, opened: TaskOpened, isShared: boolean): boolean {
  if (contract !== opened.contract || release !== opened.release) return false
  if (shared === null) return !isShared
  return isShared && shared.attributes === opened.attributes && sameLimits(shared.limits, opened.limits)
}

function sameLimits(a: TaskOpened['limits'], b: TaskOpened['limits']): boolean {
  return (
    a.modelCalls === b.modelCalls &&
    a.inputTokens === b.inputTokens &&
    a.outputTokens === b.outputTokens &&
    a.toolCalls === b.toolCalls &&
    a.toolMs === b.toolMs &&
    a.nanoUsd === b.nanoUsd
  )
}

function haveSameTerms(a: HoldMade, b: HoldMade): boolean {
  return (
    a.deployment === b.deployment &&
    a.model === b.model &&
    a.provider === b.provider &&
    a.tier === b.tier &&
    a.priceBook === b.priceBook &&
    a.simulated === b.simulated &&
    sameTexts(a.accounts, b.accounts, 1)
  )
}

function packTerms(hold: HoldMade): PackedTerms {
  const { accounts, model, deployment, provider, tier, priceBook, simulated } = hold
  return [accounts.slice(1), model, deployment, provider, tier, priceBook, bit(simulated)]
}
