// A configuration to a release, with list prices, and with what can be known of models on this machine
// without loading them: a release that could never answer never serves.

import { dirname, resolve } from 'node:path'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import { deviceProblem } from '../adapters/providers/on-device/device-problem.js'
import type { Environment } from '../config/environment.js'
import type { ConfigSource } from '../config/find-config.js'
import { parseConfig } from '../config/load-config.js'
import type { Parsed } from '../core/parsed.js'
import type { Release } from '../core/release/release.js'
import type { System } from '../engine/ports.js'

export function loadRelease(
  config: ConfigSource,
  env: Environment,
  system: Pick<System, 'nowMs' | 'sha256'>,
): Parsed<Release> {
  const folder = dirname(config.file)
  return parseConfig({
    text: config.text,
    file: config.file,
    env,
    prices: createGenaiPrices(system.nowMs()),
    sha256: (text) => system.sha256(text),
    deviceProblem: (modelPath, shown) => deviceProblem(resolve(folder, modelPath), { shown }),
  })
}
