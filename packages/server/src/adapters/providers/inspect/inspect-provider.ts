// What a provider tells about itself: its models, and where people host it themselves, its health and load.
// Everything is asked at once, within one time for all of it. What fails is a fact that is not known.

import type { ProviderFacts, System } from '../../../engine/ports.js'
import { type ServerLoad, parseServerLoad } from '../../../wire/server-load.js'
import type { Address } from '../addresses/address.js'
import type { Ask } from './ask.js'
import { type Fact, factOf, untold, usableBody } from './fact.js'
import { readHealth } from './read-health.js'
import { readModels } from './read-models.js'

export const INSPECT_MS_MAX = 5_000

export interface InspectorOptions {
  readonly system: Pick<System, 'nowMs'>
  readonly ask: Ask
}

/** Whoever asks while an inspection is under way gets its facts. */
export function inspectorOf(
  address: Pick<Address, 'modelList' | 'serverRoot'>,
  options: InspectorOptions,
): () => Promise<ProviderFacts> {
  let running: Promise<ProviderFacts> | null = null
  return () => (running ??= inspect(address, options).finally(() => (running = null)))
}

async function inspect(
  { modelList, serverRoot }: Pick<Address, 'modelList' | 'serverRoot'>,
  { system, ask }: InspectorOptions,
): Promise<ProviderFacts> {
  const untilMs = system.nowMs() + INSPECT_MS_MAX
  const hosted = Promise.resolve(untold('only servers of kind openai-compatible are asked'))
  const [models, health, load] = await Promise.all([
    readModels(modelList, ask, untilMs),
    serverRoot === null ? hosted : readHealth(serverRoot, ask, untilMs),
    serverRoot === null ? hosted : readLoad(serverRoot, ask, untilMs),
  ])
  const reasons = Object.entries({ models, health, load }).flatMap(([name, { reason }]) =>
    reason === null ? [] : [[name, reason] as const],
  )
  return {
    models: models.value,
    health: health.value,
    load: load.value,
    untold: Object.fromEntries(reasons),
  }
}

async function readLoad(root: string, ask: Ask, untilMs: number): Promise<Fact<ServerLoad>> {
  const body = usableBody(await ask(`${root}/metrics`, untilMs))
  return body.value === null ? body : factOf(parseServerLoad(body.value))
}
