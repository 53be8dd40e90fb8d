// Providers by release. A reload keeps the connections of every provider whose configuration did not change;
// what is no longer configured is closed only when no running task needs it.

import { dirname } from 'node:path'
import type { ProviderConfig, Release } from '../../core/release/release.js'
import type { Provider, System } from '../../engine/ports.js'
import { createHttpProvider } from './http-provider.js'
import { openOnDeviceProvider } from './on-device/open-on-device.js'
import { createSimulatedProvider } from './simulated/simulated-provider.js'

interface Pool {
  readonly provider: Provider
  readonly releases: Set<string>
}

export class ProviderPools {
  readonly #system: System
  readonly #pools = new Map<string, Pool>()
  readonly #byRelease = new Map<string, ReadonlyMap<string, Provider>>()

  constructor(system: System) {
    this.#system = system
  }

  /** Makes what is missing. Throws when a provider cannot be made; then nothing of this release is kept. */
  provision(release: Release): void {
    const folder = dirname(release.source)
    const pools = new Map<string, Pool>()
    const providers = new Map<string, Provider>()
    for (const config of release.providers.values()) {
      const key = JSON.stringify(config)
      const pool = this.#pools.get(key) ?? {
        provider: this.#make(config, folder),
        releases: new Set<string>(),
      }
      pools.set(key, pool)
      providers.set(config.name, pool.provider)
    }
    for (const [key, pool] of pools) {
      pool.releases.add(release.id)
      this.#pools.set(key, pool)
    }
    this.#byRelease.set(release.id, providers)
  }

  get(release: Release, name: string): Provider | undefined {
    return this.#byRelease.get(release.id)?.get(name)
  }

  /** No task of this release runs any more. */
  async retire(releaseId: string): Promise<void> {
    this.#byRelease.delete(releaseId)
    for (const [key, pool] of this.#pools) {
      pool.releases.delete(releaseId)
      if (pool.releases.size > 0) continue
      this.#pools.delete(key)
      await pool.provider.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.provider.close()))
  }

  /** `folder`: where the configuration lies. */
  #make(config: ProviderConfig, folder: string): Provider {
    const system = this.#system
    if (config.kind === 'on-device') return openOnDeviceProvider(config, { system, folder })
    if (config.kind === 'simulated') return createSimulatedProvider(config, { system })
    return createHttpProvider(config, { system })
  }
}
