// Asks the providers about themselves, each once: a fact that is not known must not stop the others.

import type { Engine } from '../engine.js'
import type { Provider, ProviderFacts } from '../ports.js'

const AT_ONCE = 8
const FAULT = 'a fault of Spillway itself'

/** By name. Those who have nobody to ask are left out. */
export async function inspectProviders(
  engine: Pick<Engine, 'provider' | 'release'>,
): Promise<ReadonlyMap<string, ProviderFacts>> {
  const release = engine.release()
  const names = new Set<string>()
  for (const model of release.models.values())
    for (const { provider } of model.deployments) names.add(provider)
  const all = [...names]
  const facts = new Map<string, ProviderFacts>()
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const some = all.slice(at, at + AT_ONCE)
    const told = await Promise.all(some.map((name) => inspect(engine.provider(release, name))))
    some.forEach((name, index) => {
      const one = told[index] ?? null
      if (one !== null) facts.set(name, one)
    })
  }
  return facts
}

/** null: there is nobody to ask. */
async function inspect(provider: Provider | undefined): Promise<ProviderFacts | null> {
  if (provider?.inspect === undefined) return null
  try {
    return await provider.inspect()
  } catch {
    return UNKNOWN
  }
}

const UNKNOWN: ProviderFacts = {
  models: null,
  health: null,
  load: null,
  untold: { models: FAULT, health: FAULT, load: FAULT },
}
