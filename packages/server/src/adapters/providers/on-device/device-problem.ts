// Whether a model can run here, as far as that can be known without loading anything: `spillway check` asks
// it of a configuration that serves nothing yet.

import { closeSync, openSync, readSync } from 'node:fs'
import { HOW_TO_INSTALL, isLlamaInstalled } from './llama-library.js'

/** `key`: the key of the provider to look at. */
export interface DeviceProblem {
  readonly key: 'model_path' | 'kind'
  readonly message: string
}

const MAGIC = Buffer.from('GGUF')

export interface DeviceLook {
  /** How a message names the file. Default: its path. */
  readonly shown?: string | undefined
  /** Is the package that runs models there? Default: looks. */
  readonly isInstalled?: (() => boolean) | undefined
}

export function deviceProblem(path: string, look: DeviceLook = {}): DeviceProblem | null {
  const { shown = path, isInstalled = isLlamaInstalled } = look
  const message = fileProblem(path, shown)
  if (message !== null) return { key: 'model_path', message }
  return isInstalled() ? null : { key: 'kind', message: HOW_TO_INSTALL }
}

function fileProblem(path: string, shown: string): string | null {
  try {
    const file = openSync(path, 'r')
    try {
      const head = Buffer.alloc(MAGIC.length)
      readSync(file, head)
      return head.equals(MAGIC) ? null : `${shown} is not a GGUF file`
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' ? `there is no file ${shown}` : `${shown} cannot be read (${code})`
  }
}
