// Walks a parsed expression: which facts it reads, and what it must not do. CEL's own limits bound the size
// of an expression but not its cost: nested macros multiply, and `matches` runs a backtracking regular
// expression.

import type { ASTNode } from '@marcbachmann/cel-js'

export interface ExpressionProblem {
  /** Into the expression, in UTF-16 units. */
  readonly index: number
  readonly message: string
}

export interface Inspection {
  /** Root identifiers with the index of their first use. Variables of macros are left out. */
  readonly reads: ReadonlyMap<string, number>
  /** First-level members that are read by name: `output.text`. */
  readonly members: readonly { readonly root: string; readonly name: string; readonly index: number }[]
  readonly problems: readonly ExpressionProblem[]
}

const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
const BANNED: ReadonlyMap<string, string> = new Map([
  [
    'matches',
    '`matches` is not available: its cost has no bound; use `contains`, `startsWith` or `endsWith`',
  ],
  ['bind', '`cel.bind` is not available'],
])

interface Findings {
  readonly reads: Map<string, number>
  readonly members: { root: string; name: string; index: number }[]
  readonly problems: ExpressionProblem[]
}

/** Variables that a surrounding macro binds. Not empty means: inside a macro. */
type Bound = ReadonlySet<string>

export function inspect(root: ASTNode): Inspection {
  const findings: Findings = { reads: new Map(), members: [], problems: [] }
  visit(root, new Set(), findings)
  return findings
}

function visit(node: ASTNode, bound: Bound, findings: Findings): void {
  switch (node.op) {
    case 'value':
      return
    case 'id':
      if (!bound.has(node.args) && !findings.reads.has(node.args)) findings.reads.set(node.args, node.start)
      return
    case '.':
    case '.?':
      return visitMember(node, bound, findings)
    case 'call':
      report(node.args[0], node, findings)
      return node.args[1].forEach((child) => visit(child, bound, findings))
    case 'rcall':
      return visitMethod(node, bound, findings)
    case 'map':
      return node.args.flat().forEach((child) => visit(child, bound, findings))
    case '!_':
    case '-_':
      return visit(node.args, bound, findings)
    default:
      return node.args.forEach((child) => visit(child, bound, findings))
  }
}

type NodeOf<K extends ASTNode['op']> = Extract<ASTNode, { readonly op: K }>

function visitMember(node: NodeOf<'.' | '.?'>, bound: Bound, findings: Findings): void {
  const [object, name] = node.args
  if (object.op === 'id' && !bound.has(object.args)) {
    findings.members.push({ root: object.args, name, index: node.end - name.length })
  }
  visit(object, bound, findings)
}

function visitMethod(node: NodeOf<'rcall'>, bound: Bound, findings: Findings): void {
  const [name, receiver, parameters] = node.args
  report(name, node, findings)
  visit(receiver, bound, findings)
  const variable = parameters[0]
  if (!MACROS.has(name) || variable?.op !== 'id') {
    return parameters.forEach((child) => visit(child, bound, findings))
  }
  if (bound.size > 0) {
    findings.problems.push({
      index: node.start,
      message: `\`${name}\` inside another list macro is not available`,
    })
  }
  const inside = new Set([...bound, variable.args])
  parameters.slice(1).forEach((child) => visit(child, inside, findings))
}

function report(name: string, node: ASTNode, findings: Findings): void {
  const message = BANNED.get(name)
  if (message !== undefined) findings.problems.push({ index: node.start, message })
}
