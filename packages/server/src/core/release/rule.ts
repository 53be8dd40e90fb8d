// A compiled expression, as the decisions see it. `config/expressions.ts` makes these from CEL.

/** Facts by name, nested objects allowed (`output.text`). A missing key is a fact that has not arrived. */
export type Facts = Readonly<Record<string, unknown>>

/** `unknown`: a fact it reads never arrived, or had the wrong type. Never counts as `yes`. */
export type Verdict = 'yes' | 'no' | 'unknown'

export interface Rule {
  /** As the user wrote it. */
  readonly source: string
  /** Root names of the facts it reads, sorted: `['account_tier', 'confidence']`. */
  readonly reads: readonly string[]
  evaluate(facts: Facts): Verdict
}

const NAMES = new WeakMap<readonly Rule[], readonly string[]>()

/** Names that any of the rules reads, each once. Computed once per list, which a release never changes. */
export function namesRead(rules: readonly Rule[]): readonly string[] {
  const known = NAMES.get(rules)
  if (known !== undefined) return known
  const names = [...new Set(rules.flatMap((rule) => rule.reads))]
  NAMES.set(rules, names)
  return names
}
