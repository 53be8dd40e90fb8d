// The generator process, seen from the bench.

import { type LoadProcess, startProcess } from '../load-process.js'
import type { GeneratorJob } from './generator.js'
import type { Result } from './judge.js'

export type Load = LoadProcess<GeneratorJob, readonly Result[]>

export function startLoad(cores: string): Load {
  return startProcess(new URL('generator.js', import.meta.url), cores)
}
