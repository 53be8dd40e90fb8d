// Rules: CEL, plus `and`, `or`, `not`, checked against the known facts when a release is loaded. What
// passes here runs in bounded time, cannot fail at run time other than as "unknown", and names every fact
// it reads.

import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { nearest } from '@spillway/protocol'
import { FACTS, type Fact } from '../core/release/facts.js'
import type { SignalSource } from '../core/release/release.js'
import type { Rule, Verdict } from '../core/release/rule.js'
import { type ExpressionProblem, inspect } from './inspect-expression.js'
import { celKeywords } from './keywords.js'

export interface Scope {
  /** `route`: facts before the call and signals. `judge`: those of the finished task as well. */
  readonly place: 'route' | 'judge'
  readonly signals: Readonly<Record<string, SignalSource>>
  /** Names that some tenant sets: never taken for a misspelt fact. */
  readonly attributes: ReadonlySet<string>
}

export type Compiled =
  | { readonly kind: 'ok'; readonly rule: Rule; readonly phase: 'before' | 'after' }
  | { readonly kind: 'invalid'; readonly problems: readonly ExpressionProblem[] }

export type Compile = (source: string) => Compiled

// Bounds the work of one evaluation together with the ban on nested macros: nodes times the length of one
// list.
const LIMITS = {
  maxAstNodes: 200,
  maxDepth: 32,
  maxListElements: 64,
  maxMapEntries: 64,
  maxCallArguments: 16,
}

const ARITHMETIC: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
}

// CEL keeps int and double apart; every number of ours is a double, and people write `score == 1` and
// `tokens * 2`.
function mixedNumbers(environment: Environment): Environment {
  const isSame = (left: unknown, right: unknown): boolean => Number(left) === Number(right)
  environment.registerOperator('double == int: bool', isSame)
  for (const [operator, run] of Object.entries(ARITHMETIC)) {
    const mixed = (left: unknown, right: unknown): number => run(Number(left), Number(right))
    environment.registerOperator(`double ${operator} int: double`, mixed)
    environment.registerOperator(`int ${operator} double: double`, mixed)
  }
  return environment.registerOperator(
    'double % double: double',
    (left: number, right: number) => left % right,
  )
}

const BASE = mixedNumbers(
  new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false, limits: LIMITS }),
)
/** Names that CEL itself knows (`double`, `string`, `type`): neither facts nor attributes. */
const isBuiltIn = (name: string): boolean => BASE.hasVariable(name)

/** Known facts of a scope, a signal's own declaration before the general one. */
function factsOf(scope: Scope): ReadonlyMap<string, Fact> {
  const facts = FACTS.filter((fact) => fact.known !== 'judged' || scope.place === 'judge')
  const signals = Object.entries(scope.signals).map(([name, { from }]): Fact => {
    const given = from === 'attribute'
    return {
      name,
      type: given ? 'dyn' : 'double',
      known: given ? 'before' : 'after',
      meaning: `Signal from ${from}.`,
    }
  })
  return new Map([...facts, ...signals].map((fact) => [fact.name, fact]))
}

/** Made once per contract and place; compiling an expression with it is cheap. */
export function expressionCompiler(scope: Scope): Compile {
  const facts = factsOf(scope)
  const environment = BASE.clone()
  for (const { name, type } of facts.values()) environment.registerVariable(name, type)
  return (source) => compile(source, { scope, facts, environment })
}

interface Setting {
  readonly scope: Scope
  readonly facts: ReadonlyMap<string, Fact>
  readonly environment: Environment
}

function compile(source: string, setting: Setting): Compiled {
  const text = celKeywords(source)
  let program: ParseResult
  try {
    program = setting.environment.parse(text)
  } catch (error) {
    return { kind: 'invalid', problems: [describe(error)] }
  }
  const { reads, members, problems } = inspect(program.ast)
  const names = [...reads.keys()].filter((name) => !isBuiltIn(name)).toSorted()
  const found = [
    ...problems,
    ...names.flatMap((name) => unknownName(name, { ...setting, index: reads.get(name) ?? 0 })),
    ...members.flatMap((member) => unknownMember(member, setting.facts)),
  ]
  const checked = setting.environment.check(text)
  if (!checked.valid) found.push(describe(checked.error))
  else if (checked.type !== 'bool' && checked.type !== 'dyn') {
    found.push({ index: 0, message: `must be true or false, but is of type ${checked.type ?? 'unknown'}` })
  }
  if (found.length > 0) return { kind: 'invalid', problems: found }
  const phase = names.some((name) => setting.facts.get(name)?.known === 'after') ? 'after' : 'before'
  return { kind: 'ok', rule: { source, reads: names, evaluate: evaluator(program) }, phase }
}

function evaluator(program: ParseResult): Rule['evaluate'] {
  return (facts): Verdict => {
    try {
      const value: unknown = program(facts)
      return value === true ? 'yes' : value === false ? 'no' : 'unknown'
    } catch {
      return 'unknown'
    }
  }
}

// Shorter names are within two edits of too many honest attributes.
const SUSPICIOUS_LENGTH_MIN = 5
const TWO_EDITS_LENGTH_MIN = 8

function unknownName(name: string, at: Setting & { readonly index: number }): readonly ExpressionProblem[] {
  const { scope, facts, index } = at
  if (facts.has(name) || scope.attributes.has(name)) return []
  if (FACTS.some((fact) => fact.name === name)) {
    const message = `\`${name}\` is known only when the task is judged: use it in \`success\` or \`harm\``
    return [{ index, message }]
  }
  if (name.length < SUSPICIOUS_LENGTH_MIN) return []
  const near = nearest(name, facts.keys(), name.length < TWO_EDITS_LENGTH_MIN ? 1 : 2)
  if (near === null) return []
  return [{ index, message: `\`${name}\` is not a known fact; did you mean \`${near}\`?` }]
}

function unknownMember(
  member: { readonly root: string; readonly name: string; readonly index: number },
  facts: ReadonlyMap<string, Fact>,
): readonly ExpressionProblem[] {
  const known = facts.get(member.root)?.members
  if (!known || known.includes(member.name)) return []
  const near = nearest(member.name, known)
  const help = near ? `did you mean \`${near}\`?` : `it has ${known.map((name) => `\`${name}\``).join(', ')}`
  return [{ index: member.index, message: `\`${member.root}\` has no \`${member.name}\`; ${help}` }]
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/no such overload: !(?!bool)/, '; `not` binds tightly: write `not (...)`'],
  [/double in list<int>/, '; write the numbers of the list as `1.0`'],
  [/Unexpected character: =/, '; compare with `==`'],
]

/** Our words for an error of the CEL library: what is wrong and where, without its drawing of the source. */
function describe(error: unknown): ExpressionProblem {
  const found: { readonly summary?: string; readonly range?: { readonly start: number } } =
    typeof error === 'object' && error !== null ? error : {}
  const summary = found.summary ?? 'cannot be read as an expression'
  const hint = HINTS.find(([pattern]) => pattern.test(summary))?.[1] ?? ''
  return { index: found.range?.start ?? 0, message: `bad expression: ${summary}${hint}` }
}
