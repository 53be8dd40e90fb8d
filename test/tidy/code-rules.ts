// Rules about single constructs: calls with one home, and what the language offers but the house does not
// use.

import { isTest } from './read-tree.js'
import { type Source, type SyntaxNode, isNode, lineAt, walk } from './syntax-tree.js'

type Matches = (node: SyntaxNode) => boolean

interface Ban {
  readonly what: string
  readonly instead: string
  readonly matches: Matches
  /** Path prefixes where it is allowed. */
  readonly homes: readonly string[]
  /** Tests drive real servers and clocks; the language rules hold for them all the same. */
  readonly inTests: 'allowed' | 'banned'
}

const CLOCK_HOMES = ['packages/server/src/adapters/system/', 'packages/client/src/clock.ts']
const CONFIG = ['packages/server/src/config/']

const nameOf = (node: unknown): unknown => (isNode(node) && node.type === 'Identifier' ? node['name'] : null)

const member = (object: string, property: string): Matches => {
  return (node) =>
    node.type === 'MemberExpression' &&
    nameOf(node['object']) === object &&
    nameOf(node['property']) === property
}

const call = (name: string): Matches => {
  return (node) => node.type === 'CallExpression' && nameOf(node['callee']) === name
}

const ofType = (type: string): Matches => {
  return (node) => node.type === type
}

const newDateNow: Matches = ({ type, callee, arguments: given }) =>
  type === 'NewExpression' && nameOf(callee) === 'Date' && Array.isArray(given) && given.length === 0

function onlyIn(
  homes: readonly string[],
  instead: string,
  calls: Readonly<Record<string, Matches>>,
): readonly Ban[] {
  return Object.entries(calls).map(([what, matches]) => ({
    what,
    instead,
    matches,
    homes,
    inTests: 'allowed',
  }))
}

function never(what: string, instead: string, type: string): Ban {
  return { what, instead, matches: ofType(type), homes: [], inTests: 'banned' }
}

const BANS: readonly Ban[] = [
  ...onlyIn(CLOCK_HOMES, 'system.nowMs()', {
    'Date.now': member('Date', 'now'),
    'performance.now': member('performance', 'now'),
    'new Date()': newDateNow,
  }),
  ...onlyIn(CLOCK_HOMES, 'system.random()', { 'Math.random': member('Math', 'random') }),
  ...onlyIn(CLOCK_HOMES, 'system.after()', {
    setTimeout: call('setTimeout'),
    setInterval: call('setInterval'),
    'AbortSignal.timeout': member('AbortSignal', 'timeout'),
  }),
  ...onlyIn(CONFIG, 'config/', { 'process.env': member('process', 'env') }),
  never('any', 'unknown, then parse', 'TSAnyKeyword'),
  never('a non-null assertion', 'a check', 'TSNonNullExpression'),
  never('enum', 'a union of strings', 'TSEnumDeclaration'),
  never('export default', 'a named export', 'ExportDefaultDeclaration'),
  never('export *', 'named re-exports', 'ExportAllDeclaration'),
]

export function codeProblems(source: Source): readonly string[] {
  const test = isTest(source.path) || source.path.includes('/src/testing/')
  const bans = BANS.filter(({ homes, inTests }) => {
    return !(test && inTests === 'allowed') && !homes.some((home) => source.path.startsWith(home))
  })
  const problems: string[] = []
  walk(source.tree, (node) => {
    for (const { what, instead, matches } of bans) {
      if (!matches(node)) continue
      problems.push(
        `${source.path}:${lineAt(source.text, node.start)} ${what} is banned here, use ${instead}`,
      )
    }
  })
  return problems
}
