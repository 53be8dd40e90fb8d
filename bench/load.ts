// The load generator process, seen from the bench.

import type { LoadJob, LoadResult } from './load-generator.js'
import { type LoadProcess, startProcess } from './load-process.js'

export type Load = LoadProcess<LoadJob, LoadResult>

export function startLoad(cores: string): Load {
  return startProcess(new URL('load-generator.js', import.meta.url), cores)
}
