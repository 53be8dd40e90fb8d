import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readTrace } from './mooncake-trace.js'
import { ReplicaModel } from './replica-model.js'

const folder = mkdtempSync(join(tmpdir(), 'spillway-trace-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HEAD = 'arrival_ms,input_tokens,output_tokens,first_block,inf_cache_hit_blocks'

function fileOf(...lines: readonly string[]): string {
  const file = join(folder, 'trace.csv')
  writeFileSync(file, `${[HEAD, ...lines].join('\n')}\n`)
  return file
}

describe('readTrace', () => {
  // Two conversations of 3 and 5 full blocks; the second goes on.
  const lines = ['0,1600,10,0,0', '10,2600,10,0,1', '20,3000,10,0,5']

  test('a prompt goes on from the earlier one that is exactly as long as what it shares', () => {
    const [first, second, third] = readTrace(fileOf(...lines), 'latest')
    expect(second?.blocks[0]).toBe(first?.blocks[0])
    expect(second?.blocks[1]).not.toBe(first?.blocks[1])
    expect(third?.blocks.slice(0, 5)).toEqual(second?.blocks.slice(0, 5))
    expect(third?.blocks).toHaveLength(6)
  })

  test('an unlimited cache finds exactly what the trace says was seen', () => {
    for (const parent of ['latest', 'earliest'] as const) {
      const speeds = { prefillMsPerToken: 0, baseTokenMs: 0, perRunningMs: 0 }
      const cache = new ReplicaModel(speeds, Infinity)
      const trace = readTrace(fileOf(...lines), parent)
      expect(trace.map((request) => cache.serve(request).hitBlocks)).toEqual([0, 1, 5])
    }
  })

  test('says which line is wrong', () => {
    expect(() => readTrace(fileOf('0,1600,10,0'), 'latest')).toThrow(/:2: not five whole numbers/)
    expect(() => readTrace(fileOf('0,512,1,0,9'), 'latest')).toThrow(/no earlier prompt has 9 blocks/)
  })
})

describe('ReplicaModel', () => {
  test('computes prompts one after the other and keeps no more blocks than it has room for', () => {
    const replica = new ReplicaModel({ prefillMsPerToken: 1, baseTokenMs: 10, perRunningMs: 1 }, 2)
    const ask = (...blocks: readonly number[]) => ({
      atMs: 0,
      inputTokens: blocks.length * 512,
      outputTokens: 10,
      blocks,
      seenBlocks: 0,
    })
    expect(replica.serve(ask(1, 2))).toMatchObject({ hitBlocks: 0, firstTokenMs: 1_024 })
    expect(replica.serve(ask(1, 2))).toMatchObject({ hitBlocks: 2, firstTokenMs: 1_024 })
    replica.serve(ask(3, 4))
    expect(replica.serve(ask(1, 2)).hitBlocks).toBe(0)
  })
})
