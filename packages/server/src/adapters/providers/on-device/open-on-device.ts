// An on-device provider as it is configured: checks at start what can be known without loading the model, so
// that a release that could never answer never serves.

import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { Provider, System } from '../../../engine/ports.js'
import { deviceProblem } from './device-problem.js'
import { openLlamaRunner } from './llama-runner.js'
import { type OnDeviceProviderConfig, createOnDeviceProvider } from './on-device-provider.js'

export interface OpenOnDeviceOptions {
  readonly system: System
  /** Where a relative `model_path` starts. */
  readonly folder: string
  /** Is the package that runs models there? Default: looks. */
  readonly isInstalled?: () => boolean
}

/**
 * Throws when the model's file is not there or not GGUF, or the package that runs it is not installed. The
 * model is loaded with the first call.
 */
export function openOnDeviceProvider(config: OnDeviceProviderConfig, options: OpenOnDeviceOptions): Provider {
  const path = resolve(options.folder, config.modelPath)
  const problem = deviceProblem(path, { isInstalled: options.isInstalled })
  if (problem !== null) {
    const key = problem.key === 'kind' ? '' : `${problem.key}: `
    throw new Error(`provider ${config.name}: ${key}${problem.message}`)
  }
  return createOnDeviceProvider(config, {
    system: options.system,
    open: openLlamaRunner,
    model: {
      path,
      threads: config.threads ?? Math.max(1, Math.floor(availableParallelism() / 2)),
      contextTokens: config.contextTokens,
      sequences: config.sequences,
      gpu: config.gpu,
    },
  })
}
