// The configuration as a tree that still knows where everything was written. Inheritance and the upper-case
// form are operations on this tree, so a mistake in an inherited value is reported at the line where it
// stands.

import type { Json } from '../core/json.js'
import type { Problems } from './problems.js'

export type Tree = MapTree | ListTree | ScalarTree

export interface MapTree {
  readonly kind: 'map'
  readonly offset: number
  readonly entries: ReadonlyMap<string, Entry>
}

export interface Entry {
  readonly keyOffset: number
  readonly value: Tree
}

export interface ListTree {
  readonly kind: 'list'
  readonly offset: number
  readonly items: readonly Tree[]
}

export interface ScalarTree {
  readonly kind: 'scalar'
  readonly offset: number
  readonly value: string | number | boolean | null
  /** The scalar as written, quotes included: maps positions inside a string back to the file. */
  readonly raw: string
  /** The value came from the environment: it may be a secret, so no message ever shows it. */
  readonly substituted: boolean
}

export function emptyMap(offset: number): MapTree {
  return { kind: 'map', offset, entries: new Map() }
}

export function isNull(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null
}

/**
 * What `over` says wins; maps merge key by key, lists and plain values replace, an explicit null takes
 * back.
 */
export function inherit(base: Tree, over: Tree): Tree {
  if (base.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map(base.entries)
  for (const [key, entry] of over.entries) {
    const inherited = base.entries.get(key)
    entries.set(key, inherited ? { ...entry, value: inherit(inherited.value, entry.value) } : entry)
  }
  return { kind: 'map', offset: over.offset, entries }
}

/**
 * Joins two ways of saying the same; a value that both give is a problem, because no order between them is
 * fair.
 */
export function combine(first: Tree, second: Tree, problems: Problems): Tree {
  if (isNull(first)) return second
  if (first.kind !== 'map' || second.kind !== 'map') return first
  const entries = new Map(first.entries)
  for (const [key, entry] of second.entries) {
    const other = entries.get(key)
    if (!other) entries.set(key, entry)
    else if (other.value.kind === 'map' && entry.value.kind === 'map') {
      entries.set(key, { ...other, value: combine(other.value, entry.value, problems) })
    } else {
      const line = problems.lineOf(other.keyOffset)
      problems.add(entry.keyOffset, `\`${key}\` is also set on line ${line}; keep one of the two`)
    }
  }
  return { kind: 'map', offset: first.offset, entries }
}

export function toJson(tree: Tree): Json {
  switch (tree.kind) {
    case 'scalar':
      return tree.value
    case 'list':
      return tree.items.map(toJson)
    case 'map':
      return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toJson(entry.value)]))
  }
}
