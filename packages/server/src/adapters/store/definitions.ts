// What one file of the journal has defined so far, by number: see `dictionary.ts`.

import { NO_LIMITS } from '../../core/budget/amounts.js'
import type { ReleaseId } from '../../core/ids.js'
import type { OpenedDetail, SplitLine } from './lines.js'
import type { SharedRow } from './numbered-rows.js'
import type { PackedTerms } from './packed.js'

export type KindNames = readonly [contract: string, release: ReleaseId, tenant: string]

export interface KindDefinition extends SharedRow {
  readonly names: KindNames
  /** Limits and attributes, as JSON; null where each task has its own. */
  readonly shared: string | null
}

export interface TermsDefinition extends SharedRow {
  readonly terms: PackedTerms
}

const NO_DETAIL = JSON.stringify({ limits: NO_LIMITS, attributes: {} })
const UNKNOWN = '(unknown)'
/** Money is never dropped because a line that it refers to was damaged. */
export const UNKNOWN_KIND = kindDefinition([UNKNOWN, UNKNOWN as ReleaseId, UNKNOWN], NO_DETAIL)
const UNKNOWN_TERMS = termsDefinition([[], UNKNOWN, UNKNOWN, UNKNOWN, 'small', null, 0])

export class Definitions {
  readonly #kinds = new Map<number, KindDefinition>()
  readonly #terms = new Map<number, TermsDefinition>()

  /** A line of tag `K` or `T`. */
  define({ tag, columns, detail }: SplitLine): void {
    const [number, ...rest] = JSON.parse(columns) as readonly [number, ...unknown[]]
    if (tag === 'T') this.#terms.set(number, termsDefinition(rest as unknown as PackedTerms))
    else {
      const shared = detail === '' ? null : JSON.stringify(JSON.parse(detail))
      this.#kinds.set(number, kindDefinition(rest as unknown as KindNames, shared))
    }
  }

  kind(number: number): KindDefinition {
    return this.#kinds.get(number) ?? UNKNOWN_KIND
  }

  terms(number: number | null): TermsDefinition | null {
    return number === null ? null : (this.#terms.get(number) ?? UNKNOWN_TERMS)
  }
}

export function kindDefinition(names: KindNames, shared: string | null): KindDefinition {
  const values = [...names, shared ?? '']
  return { key: JSON.stringify(values), values, names, shared }
}

/** What opened a task, beside its columns. */
export function openedDetail(kind: KindDefinition, own: OpenedDetail | null): string {
  return own === null ? (kind.shared ?? NO_DETAIL) : JSON.stringify(own)
}

function termsDefinition(terms: PackedTerms): TermsDefinition {
  const key = JSON.stringify(terms)
  return { key, values: [key], terms }
}
