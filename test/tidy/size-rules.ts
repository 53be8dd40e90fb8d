// Small, but deep: limits on files, functions, lines and parameters. `oversized.ts` is the ratchet.

import { isTest } from './read-tree.js'
import { type Source, type SyntaxNode, isNode, lineAt, walk } from './syntax-tree.js'

export const FILE_LINES_MAX = 300
export const FUNCTION_LINES_MAX = 40
export const LINE_LENGTH_MAX = 110
export const PARAMETERS_MAX = 3

/** Key: `path` for a file, `path#name` for a function. */
export type Oversized = Readonly<Record<string, { readonly lines: number; readonly reason: string }>>

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const SIGNATURES = new Set(['TSMethodSignature', 'TSFunctionType', 'TSDeclareFunction'])

/** The name a function goes by: its own, or that of what it is assigned to. */
function functionName(node: SyntaxNode, parents: readonly SyntaxNode[]): string {
  const parent = parents.at(-1)
  const named = [node['id'], parent?.['id'], parent?.['key']].find((candidate) => isNode(candidate))
  return isNode(named) && typeof named['name'] === 'string' ? named['name'] : 'anonymous'
}

export interface Measure {
  readonly key: string
  readonly line: number
  readonly lines: number
  readonly max: number
}

/** Everything of a file that is too long. */
export function overlong(source: Source): readonly Measure[] {
  // A text file ends in a newline, which begins no line of its own.
  const fileLines = source.text.replace(/\n$/, '').split('\n').length
  const found: Measure[] = []
  if (fileLines > FILE_LINES_MAX)
    found.push({ key: source.path, line: 1, lines: fileLines, max: FILE_LINES_MAX })
  walk(source.tree, (node, parents) => {
    if (!FUNCTIONS.has(node.type)) return
    const line = lineAt(source.text, node.start)
    const lines = lineAt(source.text, node.end) - line + 1
    if (lines <= FUNCTION_LINES_MAX) return
    found.push({ key: `${source.path}#${functionName(node, parents)}`, line, lines, max: FUNCTION_LINES_MAX })
  })
  return found
}

function parameterProblems(source: Source): readonly string[] {
  const problems: string[] = []
  walk(source.tree, (node, parents) => {
    if (!FUNCTIONS.has(node.type) && !SIGNATURES.has(node.type)) return
    const parameters = Array.isArray(node['params']) ? node['params'].filter(isNode) : []
    const counted = parameters.filter((parameter) => parameter['name'] !== 'this')
    if (counted.length <= PARAMETERS_MAX) return
    const line = lineAt(source.text, node.start)
    problems.push(
      `${source.path}:${line} ${functionName(node, parents)} takes ${counted.length} parameters, at most ${PARAMETERS_MAX}`,
    )
  })
  return problems
}

/** Where strings, templates and regular expressions stand: text that nobody can break. */
function literalSpans(tree: SyntaxNode): readonly (readonly [start: number, end: number])[] {
  const spans: [number, number][] = []
  walk(tree, ({ type, start, end, value, regex }) => {
    const isText = type === 'TemplateLiteral' || typeof value === 'string' || regex !== undefined
    if (isText && end - start > 2) spans.push([start, end])
  })
  return spans
}

function lineProblems(source: Source): readonly string[] {
  const problems: string[] = []
  let offset = 0
  for (const [index, line] of source.lines.entries()) {
    const limit = offset + LINE_LENGTH_MAX
    offset += line.length + 1
    if (line.length <= LINE_LENGTH_MAX) continue
    // An overlong line is excused when the limit falls into a literal: the code around it is short enough.
    if (literalSpans(source.tree).some(([start, end]) => start < limit && limit <= end)) continue
    problems.push(`${source.path}:${index + 1} is ${line.length} characters long, at most ${LINE_LENGTH_MAX}`)
  }
  return problems
}

export function sizeProblems(source: Source, oversized: Oversized): readonly string[] {
  if (isTest(source.path)) return []
  const long = overlong(source)
    .filter(({ key, lines }) => lines > (oversized[key]?.lines ?? 0))
    .map(({ key, line, lines, max }) => `${key}:${line} has ${lines} lines, at most ${max}`)
  return [...long, ...parameterProblems(source), ...lineProblems(source)]
}

/**
 * The ratchet only turns one way: an entry that is larger than the truth, or not needed any more, must go
 * down.
 */
export function ratchetProblems(sources: readonly Source[], oversized: Oversized): readonly string[] {
  const actual = new Map(sources.flatMap(overlong).map(({ key, lines }) => [key, lines]))
  return Object.entries(oversized).flatMap(([key, { lines, reason }]) => {
    const now = actual.get(key)
    if (now === undefined) return [`${key}: is small enough now; take it off OVERSIZED`]
    if (now < lines) return [`${key}: has ${now} lines now; lower its entry in OVERSIZED`]
    return reason.trim() === '' ? [`${key}: an entry of OVERSIZED needs a reason`] : []
  })
}
