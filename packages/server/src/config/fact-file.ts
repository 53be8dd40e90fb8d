// What files of dated facts about providers have in common. They come with this version, and are read with
// the readers of a configuration, so that a mistake in one names its line.

import { readFileSync } from 'node:fs'
import type { Parsed } from '../core/parsed.js'
import { filled, oneOf, optional, type Reader, required, text } from './readers.js'

/** A document, a page of the web, memory, or what was measured here. */
const SOURCES = ['doc', 'web', 'mem', 'own'] as const

const source = required(oneOf(SOURCES, 'source'))
const note = optional(text)

/** Where a fact is from. */
export const FACT = { source, note }

/** A regular expression, for names of models. */
export const pattern: Reader<RegExp> = {
  fallback: /(?:)/,
  read(tree, problems) {
    const written = filled.read(tree, problems)
    try {
      return new RegExp(written)
    } catch {
      problems.add(tree.offset, 'must be a regular expression')
      return /(?:)/
    }
  },
}

export interface FactText {
  readonly text: string
  /** Problems are named `file:line:column`. */
  readonly file: string
}

/** The facts of `data/<name>`. Read at the first call. A mistake in them is a fault of ours, and thrown. */
export function bundledFacts<T>(name: string, parse: (input: FactText) => Parsed<T>): () => T {
  let known: { readonly facts: T } | null = null
  return () => (known ??= { facts: read(name, parse) }).facts
}

function read<T>(name: string, parse: (input: FactText) => Parsed<T>): T {
  const content = readFileSync(new URL(`../../data/${name}`, import.meta.url), 'utf8')
  const result = parse({ text: content, file: `data/${name}` })
  if (result.kind === 'ok') return result.value
  throw new Error(result.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}
