// The upper-case form (`TASK_BUDGETS`, `ROUTING`, `CACHING`) is another way to write the same tree: budgets
// become tasks, routing and caching become defaults. It is rewritten here, so nobody behind this file knows
// of it.

import type { Problems } from './problems.js'
import { asMap, reportUnknownKeys } from './readers.js'
import { combine, emptyMap, type Entry, type MapTree, type Tree } from './tree.js'

export const UPPER_CASE_KEYS = ['TASK_BUDGETS', 'ROUTING', 'CACHING'] as const

type Path = readonly string[]
/** Old key to the place of its value in the lower-case form. */
type Places = Readonly<Record<string, Path>>

const BUDGET_PLACES: Places = {
  max_model_calls: ['budget', 'max_model_calls'],
  max_input_tokens: ['budget', 'max_input_tokens'],
  max_output_tokens: ['budget', 'max_output_tokens'],
  max_tool_calls: ['budget', 'max_tool_calls'],
  max_tool_ms: ['budget', 'max_tool_ms'],
  max_latency_ms: ['budget', 'max_latency_ms'],
  max_cost_usd: ['budget', 'max_cost_usd'],
  p95_latency_slo_ms: ['slo', 'p95_latency_ms'],
}
const ROUTING_PLACES: Places = {
  default_model: ['route', 'default'],
  escalate_if: ['route', 'escalate_if'],
  premium: ['route', 'premium'],
}
const CACHING_PLACES: Places = {
  exact_cache: ['cache', 'exact'],
  semantic_cache: ['cache', 'semantic'],
}

/** Both forms may be mixed; a setting that both give is a problem. */
export function lowerCaseForm(root: MapTree, problems: Problems): MapTree {
  const entries = new Map(root.entries)
  const add = (key: string, entry: Entry): void => {
    const present = entries.get(key)
    entries.set(key, present ? { ...present, value: combine(present.value, entry.value, problems) } : entry)
  }
  for (const key of UPPER_CASE_KEYS) {
    const entry = root.entries.get(key)
    entries.delete(key)
    if (!entry) continue
    if (key === 'TASK_BUDGETS') add('tasks', { ...entry, value: budgets(entry.value, problems) })
    else {
      const places = key === 'ROUTING' ? ROUTING_PLACES : CACHING_PLACES
      add('defaults', { ...entry, value: moved(entry.value, places, problems) })
    }
  }
  return { ...root, entries }
}

function budgets(tree: Tree, problems: Problems): Tree {
  const map = asMap(tree, problems) ?? emptyMap(tree.offset)
  const tasks = [...map.entries].map(
    ([name, entry]) => [name, { ...entry, value: moved(entry.value, BUDGET_PLACES, problems) }] as const,
  )
  return { ...map, entries: new Map(tasks) }
}

function moved(tree: Tree, places: Places, problems: Problems): MapTree {
  const map = asMap(tree, problems) ?? emptyMap(tree.offset)
  reportUnknownKeys(map, Object.keys(places), problems)
  let result: Tree = emptyMap(map.offset)
  for (const [key, entry] of map.entries) {
    const path = Object.hasOwn(places, key) ? places[key] : undefined
    if (path) result = combine(result, nested(path, entry), problems)
  }
  return result.kind === 'map' ? result : emptyMap(map.offset)
}

function nested(path: Path, entry: Entry): MapTree {
  const [key = '', ...rest] = path
  const value = rest.length === 0 ? entry.value : nested(rest, entry)
  const { offset } = entry.value
  return { kind: 'map', offset, entries: new Map([[key, { keyOffset: entry.keyOffset, value }]]) }
}
