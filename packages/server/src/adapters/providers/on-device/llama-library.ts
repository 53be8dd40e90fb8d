// The door to node-llama-cpp, which is an optional peer: found or not, loaded once, and only when a model is.

import { createRequire } from 'node:module'
import type * as LlamaLibrary from 'node-llama-cpp'

const LLAMA_PACKAGE = 'node-llama-cpp'
const LLAMA_VERSION = '3.22.1'

export const HOW_TO_INSTALL = `it needs the package ${LLAMA_PACKAGE}: npm install ${LLAMA_PACKAGE}@${LLAMA_VERSION}`

export type Library = typeof LlamaLibrary

export interface LoadedLlama {
  readonly library: Library
  readonly llama: LlamaLibrary.Llama
  /** What llama.cpp logged of what is wrong, once: its exceptions do not say. */
  takeComplaint(): Promise<string | null>
}

/** Is the package there? Does not load it. */
export function isLlamaInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve(LLAMA_PACKAGE)
    return true
  } catch {
    return false
  }
}

/**
 * One instance for the process and each kind of computing: the native backend is the process's, and freeing
 * one instance would take it from the others. It holds no memory of a model and keeps no process alive.
 */
const loaded = new Map<boolean, Promise<LoadedLlama>>()

export function loadLlama(gpu: boolean): Promise<LoadedLlama> {
  const known = loaded.get(gpu)
  if (known !== undefined) return known
  const loading = load(gpu)
  loaded.set(gpu, loading)
  loading.catch(() => loaded.delete(gpu))
  return loading
}

async function load(gpu: boolean): Promise<LoadedLlama> {
  const library = await importLibrary()
  let complaint: string | null = null
  const llama = await library.getLlama({
    gpu: gpu ? 'auto' : false,
    // Nothing is downloaded or compiled: what npm installed is what runs.
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    // Each context says how many threads it uses.
    maxThreads: 0,
    logLevel: library.LlamaLogLevel.error,
    logger: (_level, message) => {
      complaint ??= message.trim().split('\n')[0] ?? null
    },
  })
  const takeComplaint = async (): Promise<string | null> => {
    // The log comes from another thread, a turn of the event loop behind the exception.
    await new Promise((resolve) => setImmediate(resolve))
    const taken = complaint
    complaint = null
    return taken
  }
  return { library, llama, takeComplaint }
}

async function importLibrary(): Promise<Library> {
  try {
    return await import('node-llama-cpp')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    throw isMissing ? new Error(HOW_TO_INSTALL, { cause: error }) : error
  }
}
