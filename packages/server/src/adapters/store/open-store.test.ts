import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeBooks } from '../../testing/books-contract.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { openStore } from './open-store.js'

const root = mkdtempSync(join(tmpdir(), 'spillway-store-'))
afterAll(() => rmSync(root, { recursive: true }))

function fail(problem: string): never {
  throw new Error(problem)
}

describeBooks('durable store', () =>
  openStore({ dir: mkdtempSync(join(root, 'books-')), system: createFakeSystem(), onProblem: fail }),
)
