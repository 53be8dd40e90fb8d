// Signals: where a contract's confidence, and any other measure of an answer, comes from.

import { FACTS } from '../core/release/facts.js'
import type { SignalSource } from '../core/release/release.js'
import type { Problems } from './problems.js'
import type { SignalValues } from './read-task.js'
import type { Located } from './readers.js'

export type Signals = Readonly<Record<string, SignalSource>>

const SAMPLES_DEFAULT = 3
// Which key belongs to which source; another one would be silently ignored.
const KEY_OF = { path: 'output', model: 'judge', samples: 'self_consistency', name: 'attribute' } as const
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/

/** `confidence` is always there: from log probabilities when nothing else is said. */
export function readSignals(
  written: ReadonlyMap<string, Located<SignalValues>> | null,
  problems: Problems,
): { readonly signals: Signals; readonly judges: readonly Located<string>[] } {
  const signals: Record<string, SignalSource> = { confidence: { from: 'logprobs' } }
  const judges: Located<string>[] = []
  for (const [name, { value, offset }] of written ?? []) {
    checkName(name, offset, problems)
    for (const [key, from] of Object.entries(KEY_OF) as [keyof typeof KEY_OF, string][]) {
      const extra = value[key]
      if (extra && value.from !== from) problems.add(extra.offset, `\`${key}\` belongs to \`from: ${from}\``)
    }
    if (value.from === 'judge') {
      if (value.model) judges.push(value.model)
      else problems.add(offset, '`model` is missing: the model that grades the answer')
    }
    signals[name] = sourceOf(name, value)
  }
  return { signals, judges }
}

function checkName(name: string, offset: number, problems: Problems): void {
  if (!IDENTIFIER.test(name) || name === '__proto__') {
    problems.add(offset, `a signal's name is a word that rules can use, such as \`confidence\``)
  }
  const taken = FACTS.some((fact) => fact.name === name && fact.known !== 'after')
  if (taken) problems.add(offset, `\`${name}\` is a fact of every call and cannot be a signal`)
}

function sourceOf(name: string, value: SignalValues): SignalSource {
  switch (value.from) {
    case 'logprobs':
      return { from: 'logprobs' }
    case 'output':
      return { from: 'output', path: value.path?.value ?? name }
    case 'judge':
      return { from: 'judge', model: value.model?.value ?? '' }
    case 'self_consistency':
      return { from: 'self_consistency', samples: value.samples?.value ?? SAMPLES_DEFAULT }
    case 'attribute':
      return { from: 'attribute', name: value.name?.value ?? name }
  }
}
