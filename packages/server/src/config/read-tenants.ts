// Who calls. Keys are hashed here, at once: nothing behind this file has ever seen one.

import { NO_CEILINGS, type Tenant } from '../core/release/release.js'
import { FACTS } from '../core/release/facts.js'
import { checkName } from './names.js'
import type { Problems } from './problems.js'
import { ceilingLimits } from './read-limits.js'
import {
  anything,
  asMap,
  flag,
  list,
  located,
  number,
  optional,
  record,
  required,
  secret,
} from './readers.js'
import { toJson, type Tree } from './tree.js'

const tenant = record({
  keys: required(list(located(secret), { min: 1 })),
  limits: optional(ceilingLimits, NO_CEILINGS),
  /** Facts for rules, under names of the tenant's choice. Default none. */
  attributes: optional(anything),
  /** May steer deployments by hand. */
  operator: optional(flag, false),
  /** Its part of what is scarce, beside other tenants' weights. Default 1. */
  weight: optional(number({ min: 0.001, max: 1_000 }), 1),
})

export function readTenants(
  tree: Tree,
  problems: Problems,
  sha256: (text: string) => string,
): ReadonlyMap<string, Tenant> {
  const tenants = new Map<string, Tenant>()
  const owners = new Map<string, string>()
  for (const [name, entry] of asMap(tree, problems)?.entries ?? []) {
    checkName(name, entry.keyOffset, problems)
    const values = tenant.read(entry.value, problems)
    const keyHashes = new Set<string>()
    for (const { value, offset } of values.keys) {
      if (value === '') continue
      const hash = sha256(value)
      const owner = owners.get(hash)
      if (owner !== undefined) problems.add(offset, `this key already belongs to tenant \`${owner}\``)
      owners.set(hash, name)
      keyHashes.add(hash)
    }
    const attributes = readAttributes(values.attributes, problems)
    const { limits, operator, weight } = values
    const who = { name, keyHashes: [...keyHashes].toSorted(), limits, attributes, weight }
    tenants.set(name, operator ? { ...who, operator } : who)
  }
  return tenants
}

function readAttributes(tree: Tree | null, problems: Problems): Readonly<Record<string, unknown>> {
  const map = tree && asMap(tree, problems)
  if (!map) return {}
  for (const [name, { keyOffset }] of map.entries) {
    if (FACTS.some((fact) => fact.name === name && fact.known !== 'after')) {
      problems.add(keyOffset, `\`${name}\` is a fact of every call and cannot be an attribute`)
    }
  }
  return Object.fromEntries([...map.entries].map(([name, { value }]) => [name, toJson(value)]))
}
