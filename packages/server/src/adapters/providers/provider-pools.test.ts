import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../../config/load-config.js'
import type { Release } from '../../core/release/release.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { writeTinyGguf } from '../../testing/tiny-gguf.js'
import { ProviderPools } from './provider-pools.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-pools-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const system = createFakeSystem()

function release(providers: string): Release {
  const result = parseConfig({
    text: `providers:\n  sim: { kind: simulated }\n${providers}`,
    file: join(folder, 'spillway.yaml'),
    env: {},
    prices: { version: 'none', find: () => null },
    sha256: (text) => system.sha256(text),
  })
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems))
  return result.value
}

test('a relative model file lies beside the configuration, wherever the process runs', async () => {
  await mkdir(join(folder, 'models'))
  await writeTinyGguf(join(folder, 'models', 'tiny.gguf'))
  const pools = new ProviderPools(system)
  const made = release('  device: { kind: on-device, model_path: models/tiny.gguf }')
  pools.provision(made)
  expect(pools.get(made, 'device')).toMatchObject({ name: 'device', simulated: false })
  await pools.close()
})

test('a provider that did not change is the same one after a reload', () => {
  const pools = new ProviderPools(system)
  const [before, after] = [release(''), release('  other: { kind: simulated, seed: 2 }')]
  pools.provision(before)
  pools.provision(after)
  expect(pools.get(after, 'sim')).toBe(pools.get(before, 'sim'))
})

test('of a release with a provider that cannot be made nothing is kept', () => {
  const pools = new ProviderPools(system)
  const broken = release('  device: { kind: on-device, model_path: gone.gguf }')
  expect(() => pools.provision(broken)).toThrow(/provider device: model_path: there is no file/)
  expect(pools.get(broken, 'sim')).toBeUndefined()
})
