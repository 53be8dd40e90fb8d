// What only the whole graph shows: cycles (type-only imports included) and files nobody needs.

import { posix } from 'node:path'
import { placeOf } from './import-rules.js'
import { isTest } from './read-tree.js'
import { type Source, walk } from './syntax-tree.js'

type Graph = ReadonlyMap<string, readonly string[]>

function importGraph(sources: readonly Source[]): Graph {
  const known = new Set(sources.map((source) => source.path))
  return new Map(
    sources.map((source) => [
      source.path,
      source.imports.flatMap(({ target }) => (target !== null && known.has(target) ? [target] : [])),
    ]),
  )
}

/** Strongly connected components of more than one file, or of one that imports itself (Tarjan). */
export function cyclesOf(graph: Graph): readonly (readonly string[])[] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const cycles: string[][] = []
  const visit = (node: string): void => {
    order.set(node, order.size)
    lowest.set(node, order.get(node) ?? 0)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next)
      // A node already cut off the stack belongs to a finished component and says nothing about this one.
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node) ?? 0, lowest.get(next) ?? 0))
    }
    if (lowest.get(node) !== order.get(node)) return
    const component = stack.splice(stack.indexOf(node))
    if (component.length > 1 || (graph.get(node) ?? []).includes(node)) cycles.push(component)
  }
  for (const node of graph.keys()) if (!order.has(node)) visit(node)
  return cycles
}

export function cycleProblems(sources: readonly Source[]): readonly string[] {
  return cyclesOf(importGraph(sources)).map((cycle) => `import cycle: ${[...cycle].sort().join(' , ')}`)
}

/** Workers are started by path: `new URL('./store-worker.js', import.meta.url)` is an edge too. */
function namedFiles(source: Source): readonly string[] {
  const found: string[] = []
  walk(source.tree, ({ type, value }) => {
    if (type !== 'Literal' || typeof value !== 'string' || !/^[\w./-]+\.[jt]s$/.test(value)) return
    found.push(posix.normalize(posix.join(posix.dirname(source.path), value)).replace(/\.js$/, '.ts'))
  })
  return found
}

const isEntry = (path: string): boolean => /^packages\/[^/]+\/src\/(index|main|cli\/main)\.tsx?$/.test(path)

function reachable(sources: readonly Source[], roots: readonly string[]): ReadonlySet<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const graph = importGraph(sources)
  const seen = new Set<string>()
  const queue = [...roots]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const source = byPath.get(path)
    if (source === undefined || seen.has(path)) continue
    seen.add(path)
    queue.push(...(graph.get(path) ?? []), ...namedFiles(source))
  }
  return seen
}

/**
 * Files no program reaches. A file that only its own test imports is dead too; `testing/` is there for tests.
 * `waiting` names files that are there ahead of their caller, each with the reason.
 */
export function deadFileProblems(
  sources: readonly Source[],
  waiting: Readonly<Record<string, string>> = {},
): readonly string[] {
  const paths = sources.map((source) => source.path)
  const used = reachable(sources, [...paths.filter(isEntry), ...Object.keys(waiting)])
  const usedByTests = reachable(sources, paths.filter(isTest))
  const dead = paths.filter((path) => {
    if (isTest(path)) return false
    return placeOf(path).room === 'testing' ? !usedByTests.has(path) : !used.has(path)
  })
  const awake = reachable(sources, paths.filter(isEntry))
  const stale = Object.keys(waiting).filter((path) => awake.has(path) || !paths.includes(path))
  return [
    ...dead.map((path) => `${path}: no program reaches this file; use it or delete it`),
    ...stale.map((path) => `${path}: is used now or gone; take it off the waiting list`),
  ]
}
