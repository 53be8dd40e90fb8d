import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { tinyGguf } from './tiny-gguf.js'

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('the same options give the same file, on every machine', () => {
  expect(hash(tinyGguf())).toBe('f4b13cee3756b953dc589436f3ce60abc0274bd55f3d3d0cf97c546cc798081a')
  expect(hash(tinyGguf({ seed: 2 }))).not.toBe(hash(tinyGguf()))
})
