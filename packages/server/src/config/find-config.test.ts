import { describe, expect, test } from 'vitest'
import { findConfig } from './find-config.js'

const files: Readonly<Record<string, string>> = { 'a.yaml': 'A', 'b.yaml': 'B', 'spillway.yaml': 'C' }
const read = (file: string): string | null => files[file] ?? null
const nothing = (): null => null

describe('findConfig', () => {
  test('takes the flag, then the variable, then the file beside us', () => {
    const env = { SPILLWAY_CONFIG: 'b.yaml' }
    expect(findConfig({ flag: 'a.yaml', env, read })).toEqual({
      kind: 'ok',
      value: { file: 'a.yaml', text: 'A' },
    })
    expect(findConfig({ flag: null, env, read })).toMatchObject({ value: { file: 'b.yaml' } })
    expect(findConfig({ flag: null, env: {}, read })).toMatchObject({ value: { file: 'spillway.yaml' } })
    expect(findConfig({ flag: null, env: { SPILLWAY_CONFIG: '' }, read })).toMatchObject({
      value: { text: 'C' },
    })
  })

  test('falls back to the built-in configuration', () => {
    const found = findConfig({ flag: null, env: {}, read: nothing })
    expect(found).toMatchObject({
      kind: 'ok',
      value: { file: 'built-in', text: expect.stringContaining('gpt-4o-mini') },
    })
  })

  test('a file that was asked for and is not there is a problem, not the next place', () => {
    expect(findConfig({ flag: 'gone.yaml', env: {}, read })).toEqual({
      kind: 'invalid',
      problems: [{ at: 'gone.yaml:1:1', message: 'there is no such file, but `--config` names it' }],
    })
    const env = { SPILLWAY_CONFIG: 'gone.yaml' }
    expect(findConfig({ flag: null, env, read })).toMatchObject({
      problems: [{ message: expect.stringContaining('$SPILLWAY_CONFIG') }],
    })
  })
})
