// An on-device provider as it is configured: checks at start what can be known without loading the model, so
// that a release that could never answer never serves.

import { closeSync, openSync, readSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { Provider, System } from '../../../engine/ports.js'
import { HOW_TO_INSTALL, isLlamaInstalled } from './llama-library.js'
import { openLlamaRunner } from './llama-runner.js'
import { type OnDeviceProviderConfig, createOnDeviceProvider } from './on-device-provider.js'

export interface OpenOnDeviceOptions {
  readonly system: System
  /** Where a relative `model_path` starts. */
  readonly folder: string
  /** Is the package that runs models there? Default: looks. */
  readonly isInstalled?: () => boolean
}

const MAGIC = Buffer.from('GGUF')

/**
 * Throws when the model's file is not there or not GGUF, or the package that runs it is not installed. The
 * model is loaded with the first call.
 */
export function openOnDeviceProvider(config: OnDeviceProviderConfig, options: OpenOnDeviceOptions): Provider {
  const path = resolve(options.folder, config.modelPath)
  const problem = problemOf(path)
  if (problem !== null) throw new Error(`provider ${config.name}: model_path: ${problem}`)
  const isInstalled = options.isInstalled ?? isLlamaInstalled
  if (!isInstalled()) throw new Error(`provider ${config.name}: ${HOW_TO_INSTALL}`)
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

function problemOf(path: string): string | null {
  try {
    const file = openSync(path, 'r')
    try {
      const head = Buffer.alloc(MAGIC.length)
      readSync(file, head)
      return head.equals(MAGIC) ? null : `${path} is not a GGUF file`
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' ? `there is no file ${path}` : `${path} cannot be read (${code})`
  }
}
