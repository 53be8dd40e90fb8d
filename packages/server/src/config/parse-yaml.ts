// YAML text to a positioned tree: syntax, duplicate keys, anchors and environment variables are settled
// here, so the readers behind it see plain values.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Document, type Pair, parseDocument } from 'yaml'
import type { Environment } from './environment.js'
import { collectProblems, type Problems } from './problems.js'
import { positionInRaw } from './scalar-position.js'
import { substitute } from './substitute.js'
import { emptyMap, type Entry, type MapTree, type ScalarTree, type Tree } from './tree.js'

// Anchors can multiply a small file into a huge one, or point into themselves.
const NODES_MAX = 50_000
const DEPTH_MAX = 32

interface Build {
  readonly text: string
  readonly document: Document
  readonly environment: Environment
  readonly problems: Problems
  nodes: number
}

type At = { readonly offset: number; readonly depth: number }

export interface ConfigText {
  readonly text: string
  /** Named in every problem. */
  readonly file: string
  readonly env: Environment
}

/** With syntax errors the tree is empty: what YAML guessed behind them would only add false problems. */
export function parseYaml(input: ConfigText): { readonly tree: MapTree; readonly problems: Problems } {
  const lines = new LineCounter()
  const { text, env: environment } = input
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false })
  const problems = collectProblems(input.file, lines)
  if (reportSyntax(document, text, problems)) return { tree: emptyMap(0), problems }
  const build: Build = { text, document, environment, problems, nodes: 0 }
  const root = buildTree(document.contents, { offset: 0, depth: 0 }, build)
  if (root.kind === 'map') return { tree: root, problems }
  if (root.kind !== 'scalar' || root.value !== null) {
    problems.add(root.offset, 'the configuration must be a map of keys such as `providers` and `tasks`')
  }
  return { tree: emptyMap(0), problems }
}

function reportSyntax(document: Document, text: string, problems: Problems): boolean {
  const seen = new Set<number>()
  for (const error of [...document.errors, ...document.warnings]) {
    const [offset] = error.pos
    const line = problems.lineOf(offset)
    // One mistake makes a trail of errors on its line; the first is the one to mend.
    if (seen.has(line)) continue
    seen.add(line)
    // The parser quotes what it stumbled over, which may be a secret: only the part before it is shown.
    const reason = error.message.replace(/: ".*$/s, '')
    const written = text.split('\n')[line - 1] ?? ''
    const hint = written.includes('${') ? '; a value with `${...}` inside braces needs quotes: "${NAME}"' : ''
    problems.add(offset, `not valid YAML: ${reason}${hint}`)
  }
  return seen.size > 0
}

function buildTree(node: unknown, at: At, build: Build): Tree {
  const nothing: ScalarTree = { kind: 'scalar', offset: at.offset, value: null, raw: '', substituted: false }
  if (++build.nodes > NODES_MAX || at.depth > DEPTH_MAX) {
    build.problems.add(at.offset, `too large: at most ${NODES_MAX} values, nested ${DEPTH_MAX} deep`)
    return nothing
  }
  if (isAlias(node)) {
    const target = node.resolve(build.document)
    if (target) return buildTree(target, { offset: at.offset, depth: at.depth + 1 }, build)
    build.problems.add(node.range?.[0] ?? at.offset, 'this alias has no anchor')
    return nothing
  }
  if (isScalar(node)) return buildScalar(node, at, build)
  if (isSeq(node)) {
    const offset = node.range?.[0] ?? at.offset
    const items = node.items.map((item) => buildTree(item, { offset, depth: at.depth + 1 }, build))
    return { kind: 'list', offset, items }
  }
  if (isMap(node))
    return buildMap(node.items, { offset: node.range?.[0] ?? at.offset, depth: at.depth }, build)
  return nothing
}

function buildScalar(
  node: { readonly value: unknown; readonly range?: readonly number[] | null | undefined },
  at: At,
  build: Build,
): ScalarTree {
  const offset = node.range?.[0] ?? at.offset
  const raw = build.text.slice(offset, node.range?.[1] ?? offset)
  const { value } = node
  if (typeof value === 'string' && value.includes('${')) {
    const result = substitute(value, build.environment)
    for (const { index, message } of result.problems) {
      build.problems.add(offset + positionInRaw(raw, value, index), message)
    }
    if (result.problems.length > 0) build.problems.silence(offset)
    return { kind: 'scalar', offset, value: result.value, raw, substituted: result.substituted }
  }
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return { kind: 'scalar', offset, value: plain ? value : null, raw, substituted: false }
}

/** Numbers may be names too: a task called 404. */
function keyText(value: unknown): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

function buildMap(pairs: readonly Pair[], at: At, build: Build): MapTree {
  const entries = new Map<string, Entry>()
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? keyText(key.value) : null
    if (!isScalar(key) || name === null) {
      build.problems.add(at.offset, 'keys must be plain text')
      continue
    }
    const keyOffset = key.range?.[0] ?? at.offset
    const earlier = entries.get(name)
    if (earlier) {
      const line = build.problems.lineOf(earlier.keyOffset)
      build.problems.add(keyOffset, `\`${name}\` is already set on line ${line}`)
    }
    // A key without a value has no place of its own: its problems are shown at the key.
    const tree = buildTree(value, { offset: keyOffset, depth: at.depth + 1 }, build)
    const empty = tree.kind === 'scalar' && tree.value === null && tree.raw === ''
    entries.set(name, { keyOffset, value: empty ? { ...tree, offset: keyOffset } : tree })
  }
  return { kind: 'map', offset: at.offset, entries }
}
