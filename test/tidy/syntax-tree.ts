// A source file as the house rules see it: its text, its syntax tree and what it imports. The parser is the
// one vitest already brings along (vite's); TypeScript 7 keeps its own parser behind an unstable API.

import { dirname, posix } from 'node:path'
import { parseSync } from 'vite'

export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export interface Import {
  /** As written: `../core/ids.js`, `node:fs`, `undici`. */
  readonly specifier: string
  /** The repository path of the source meant, or null for a package or a Node module. */
  readonly target: string | null
  readonly line: number
}

export interface Source {
  /** From the root of the repository, with forward slashes: `packages/server/src/core/ids.ts`. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  readonly tree: SyntaxNode
  readonly comments: readonly { readonly text: string; readonly line: number }[]
  readonly imports: readonly Import[]
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** Every node of the tree with its parents, outermost first. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parents: readonly SyntaxNode[]) => void,
  parents: readonly SyntaxNode[] = [],
): void {
  visit(node, parents)
  const inner = [...parents, node]
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, inner)
  }
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

/** `.js` in an import is the `.ts` beside it. */
function targetOf(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null
  return posix.normalize(posix.join(dirname(from), specifier)).replace(/\.js$/, '.ts')
}

function importedLiteral(node: SyntaxNode): SyntaxNode | null {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return isNode(node['source']) ? node['source'] : isNode(node['argument']) ? node['argument'] : null
    default:
      return null
  }
}

function importsOf(path: string, text: string, tree: SyntaxNode): readonly Import[] {
  const found: Import[] = []
  walk(tree, (node) => {
    const literal = importedLiteral(node)
    const specifier = literal?.['value']
    if (literal === null || typeof specifier !== 'string') return
    found.push({ specifier, target: targetOf(path, specifier), line: lineAt(text, literal.start) })
  })
  return found
}

export function parseSource(path: string, text: string): Source {
  const result = parseSync(path, text, { lang: path.endsWith('x') ? 'tsx' : 'ts' })
  const [error] = result.errors
  if (error !== undefined) throw new Error(`${path} cannot be parsed: ${error.message}`)
  const tree: unknown = result.program
  if (!isNode(tree)) throw new Error(`${path} has no syntax tree`)
  const comments = result.comments.map(({ value, start }) => ({ text: value, line: lineAt(text, start) }))
  return { path, text, lines: text.split('\n'), tree, comments, imports: importsOf(path, text, tree) }
}
