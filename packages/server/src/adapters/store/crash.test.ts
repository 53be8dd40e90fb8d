// The promise itself: real processes, killed with SIGKILL at random moments while they write.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { createFakeSystem, seededRandom } from '../../testing/fake-system.js'
import { ONE_CALL, holdMade } from '../../testing/entries.js'
import { openStore } from './open-store.js'

const ROUNDS = 30
const CALLS_PER_ROUND_MAX = 100_000
const root = mkdtempSync(join(tmpdir(), 'spillway-crash-'))
afterAll(() => rmSync(root, { recursive: true }))

const child = fileURLToPath(new URL('../../../dist/adapters/store/crash.test.child.js', import.meta.url))

/**
 * Lets one process write until it has acknowledged `killAfter` calls, then kills it. Returns what it said.
 */
function round(dir: string, first: number, killAfter: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, [child, dir, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    let acknowledged = 0
    writer.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      acknowledged += chunk.filter((byte) => byte === 10).length
      if (acknowledged > killAfter) writer.kill('SIGKILL')
    })
    writer.on('error', reject)
    // The last line may be cut: it was not said.
    writer.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(said.split('\n').slice(0, -1))
      else reject(new Error(`the writer ended by itself, code ${code}`))
    })
  })
}

test('30 processes killed while they write lose no acknowledged charge and leak no hold', async () => {
  const dir = join(root, 'data')
  const random = seededRandom(20_261_124)
  const acknowledged: string[] = []
  let settledHolds = 0
  for (let number = 0; number < ROUNDS; number++) {
    const said = await round(dir, number * CALLS_PER_ROUND_MAX, Math.floor(random() * 400))
    expect(said.filter((line) => line.startsWith('problem'))).toEqual([])
    acknowledged.push(...said.flatMap((line) => (line.startsWith('done ') ? [line.slice(5)] : [])))
    const recovered = said.find((line) => line.startsWith('recovered '))?.slice(10)
    settledHolds += (JSON.parse(recovered ?? '{"settledHolds":0}') as { settledHolds: number }).settledHolds
  }
  const store = await openStore({
    dir,
    system: createFakeSystem(),
    onProblem: (problem) => expect.fail(problem),
  })
  settledHolds += store.recovery.settledHolds
  expect(acknowledged.length).toBeGreaterThan(ROUNDS)
  let cursor: string | null = ''
  const found = new Map<string, number>()
  while (cursor !== null) {
    const page: Awaited<ReturnType<typeof store.list>> = await store.list({
      limit: 500,
      ...(cursor && { cursor }),
    })
    for (const row of page.rows) found.set(row.id, row.nanoUsd)
    cursor = page.nextCursor
  }
  const worst = holdMade('any', 'any').amounts.nanoUsd
  expect(acknowledged.filter((id) => found.get(id) !== ONE_CALL.nanoUsd)).toEqual([])
  const sum = [...found.values()].reduce((total, nanoUsd) => total + nanoUsd, 0)
  const account = (await store.accountTotals(['product:'])).get('product:day:2026-11-24')
  expect(account?.nanoUsd).toBe(sum)
  const atWorst = [...found.values()].filter((nanoUsd) => nanoUsd === worst).length
  expect(atWorst).toBe(settledHolds)
  expect((await store.list({ status: 'open' })).rows).toEqual([])
  expect(await store.check()).toBe('ok')
  await store.close()
})
