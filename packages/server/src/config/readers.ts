// Typed field readers over the positioned tree. Small and our own rather than a schema library, because a
// schema library sees plain values: it can say which key is wrong, but not on which line the key and its
// value stand, nor go on after a mistake with a sensible value so that all problems of a file are told at
// once.

import { didYouMean, nearest } from '@spillway/protocol'
import type { Problems } from './problems.js'
import { isNull, type MapTree, type ScalarTree, type Tree } from './tree.js'

/**
 * Always gives a value: after a problem it is the fallback, and the release is refused in the end anyway.
 */
export interface Reader<T> {
  read(tree: Tree, problems: Problems): T
  readonly fallback: T
}

export interface Field<T> {
  readonly reader: Reader<T>
  /** null: the key must be there. A key whose value is null counts as absent. */
  readonly absent: { readonly value: T } | null
}

export type Fields = Readonly<Record<string, Field<unknown>>>
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

export interface Located<T> {
  readonly value: T
  readonly offset: number
  /** The value came from the environment: messages do not show it. */
  readonly hidden: boolean
}

/** A name as messages show it. */
export function quoted({ value, hidden }: Located<string>): string {
  return hidden ? '(from the environment)' : `\`${value.slice(0, 80)}\``
}

export function required<T>(reader: Reader<T>): Field<T> {
  return { reader, absent: null }
}

export function optional<T>(reader: Reader<T>): Field<T | null>
export function optional<T>(reader: Reader<T>, value: T): Field<T>
export function optional<T>(reader: Reader<T>, value: T | null = null): Field<T | null> {
  return { reader, absent: { value } }
}

/** What a message may say about a value: never one that came from the environment. */
function shown(tree: ScalarTree): string {
  return tree.substituted ? '' : `, not \`${String(tree.value).slice(0, 80)}\``
}

const NOUN = { map: 'a map', list: 'a list' } as const

function mismatch(tree: Tree, wanted: string): string {
  return `must be ${wanted}${tree.kind === 'scalar' ? shown(tree) : `, not ${NOUN[tree.kind]}`}`
}

/** Text that may be a secret: no message ever shows it. */
export const secret: Reader<string> = {
  fallback: '',
  read(tree, problems) {
    if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value !== '') return tree.value
    const empty = tree.kind === 'scalar' && tree.value === ''
    problems.add(tree.offset, empty ? 'must not be empty' : 'must be text, in quotes')
    return ''
  },
}

export const text: Reader<string> = {
  fallback: '',
  read(tree, problems) {
    if (tree.kind === 'scalar' && typeof tree.value === 'string') return tree.value
    problems.add(tree.offset, mismatch(tree, 'text'))
    return ''
  },
}

/** Text that names something: never empty. */
export const filled: Reader<string> = {
  fallback: '',
  read(tree, problems) {
    const value = text.read(tree, problems)
    if (value === '' && tree.kind === 'scalar' && tree.value === '')
      problems.add(tree.offset, 'must not be empty')
    return value
  },
}

export const flag: Reader<boolean> = {
  fallback: false,
  read(tree, problems) {
    if (tree.kind === 'scalar') {
      if (typeof tree.value === 'boolean') return tree.value
      if (tree.substituted && (tree.value === 'true' || tree.value === 'false')) return tree.value === 'true'
    }
    problems.add(tree.offset, mismatch(tree, '`true` or `false`'))
    return false
  },
}

const ON_OFF: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ['on', true],
  ['off', false],
  // What YAML 1.1 makes of them.
  [true, true],
  [false, false],
])

/** `on` or `off`. No near word is guessed: `no` is as near to `on` as can be. */
export const onOff: Reader<boolean> = {
  fallback: true,
  read(tree, problems) {
    const value = tree.kind === 'scalar' ? ON_OFF.get(tree.value) : undefined
    if (value === undefined) problems.add(tree.offset, mismatch(tree, '`on` or `off`'))
    return value ?? true
  },
}

export interface Range {
  readonly min: number
  readonly max: number
  readonly whole?: boolean
  /** The unit, for messages: `tokens`, `USD`. */
  readonly unit?: string
}

export function number(range: Range): Reader<number> {
  const { min, max, unit } = range
  const bounds = max < Number.MAX_SAFE_INTEGER ? `from ${min} to ${max}` : `of at least ${min}`
  const wanted = `a ${range.whole ? 'whole ' : ''}number ${bounds}${unit === undefined ? '' : ` ${unit}`}`
  return {
    fallback: Math.max(min, 0),
    read(tree, problems) {
      const value = tree.kind === 'scalar' ? numeric(tree) : null
      const fits = value !== null && value >= min && value <= max && (!range.whole || Number.isInteger(value))
      if (fits) return value
      problems.add(tree.offset, mismatch(tree, wanted))
      return Math.max(min, 0)
    },
  }
}

function numeric(tree: ScalarTree): number | null {
  // The environment has only text, so a substituted value may be a number in text.
  const asText = tree.substituted && typeof tree.value === 'string' && tree.value.trim() !== ''
  const value = asText ? Number(tree.value) : tree.value
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export function whole(unit: string, min = 1, max: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return number({ min, max, whole: true, unit })
}

export const share: Reader<number> = number({ min: 0, max: 1 })

export function oneOf<const T extends string>(words: readonly [T, ...T[]], noun: string): Reader<T> {
  const [first] = words
  return {
    fallback: first,
    read(tree, problems) {
      const found = words.find((word) => tree.kind === 'scalar' && tree.value === word)
      if (found !== undefined) return found
      if (tree.kind === 'scalar' && typeof tree.value === 'string' && !tree.substituted) {
        problems.add(
          tree.offset,
          `unknown ${noun} \`${tree.value.slice(0, 80)}\`; ${didYouMean(tree.value, words)}`,
        )
      } else {
        problems.add(tree.offset, mismatch(tree, `one of ${words.map((word) => `\`${word}\``).join(', ')}`))
      }
      return first
    },
  }
}

export function located<T>(reader: Reader<T>): Reader<Located<T>> {
  return {
    fallback: { value: reader.fallback, offset: 0, hidden: false },
    read: (tree, problems) => ({
      value: reader.read(tree, problems),
      offset: tree.offset,
      hidden: tree.kind === 'scalar' && tree.substituted,
    }),
  }
}

/** The subtree itself, for what is read later, when more is known. */
export const anything: Reader<Tree | null> = { fallback: null, read: (tree) => tree }

/** A string that is kept with its place, for expressions. */
export const textTree: Reader<ScalarTree | null> = {
  fallback: null,
  read(tree, problems) {
    if (tree.kind === 'scalar' && typeof tree.value === 'string') return tree
    problems.add(tree.offset, mismatch(tree, 'text'))
    return null
  },
}

export function list<T>(
  reader: Reader<T>,
  options: { readonly min: number } = { min: 0 },
): Reader<readonly T[]> {
  return {
    fallback: [],
    read(tree, problems) {
      if (tree.kind === 'list') {
        if (tree.items.length < options.min) problems.add(tree.offset, 'must not be empty')
        return tree.items.map((item) => reader.read(item, problems))
      }
      problems.add(tree.offset, mismatch(tree, 'a list, as in `[a, b]`'))
      return []
    },
  }
}

/** Any names as keys; the same reader for every value. */
export function mapOf<T>(reader: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return {
    fallback: new Map(),
    read(tree, problems) {
      const map = asMap(tree, problems)
      return new Map(
        [...(map?.entries ?? [])].map(([key, entry]) => [key, reader.read(entry.value, problems)]),
      )
    },
  }
}

/** Known keys only. An unknown key is a problem at the key, with the nearest known one. */
export function record<F extends Fields>(fields: F): Reader<Values<F>> {
  const absent = Object.entries(fields).map(([key, { reader, absent: when }]) => [
    key,
    when ? when.value : reader.fallback,
  ])
  // The compiler cannot follow the keys through `Object.entries`; every key of `fields` is set below.
  const fallback = Object.fromEntries(absent) as Values<F>
  return {
    fallback,
    read(tree, problems) {
      const map = asMap(tree, problems)
      if (!map) return fallback
      reportUnknownKeys(map, Object.keys(fields), problems)
      const values = Object.entries(fields).map(([key, field]) => [
        key,
        readField(map, { key, field }, problems),
      ])
      return Object.fromEntries(values) as Values<F>
    },
  }
}

function readField(
  map: MapTree,
  { key, field }: { readonly key: string; readonly field: Field<unknown> },
  problems: Problems,
): unknown {
  const entry = map.entries.get(key)
  if (entry && !isNull(entry.value)) return field.reader.read(entry.value, problems)
  if (field.absent) return field.absent.value
  problems.add(entry?.keyOffset ?? map.offset, `\`${key}\` is missing`)
  return field.reader.fallback
}

/** A map, or an empty one for a key that was left blank; anything else is a problem. */
export function asMap(tree: Tree, problems: Problems): MapTree | null {
  if (tree.kind === 'map') return tree
  if (isNull(tree)) return { kind: 'map', offset: tree.offset, entries: new Map() }
  problems.add(tree.offset, mismatch(tree, 'a map of keys and values'))
  return null
}

export function reportUnknownKeys(map: MapTree, known: readonly string[], problems: Problems): void {
  for (const [key, { keyOffset }] of map.entries) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const all = known.map((name) => `\`${name}\``).join(', ')
    problems.add(
      keyOffset,
      `unknown key \`${key.slice(0, 80)}\`; ${near ? `did you mean \`${near}\`?` : `known here: ${all}`}`,
    )
  }
}
