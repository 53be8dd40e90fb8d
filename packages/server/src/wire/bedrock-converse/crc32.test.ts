import { crc32 as ofNode } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32 } from './crc32.js'

test('the check value of the catalogue of checksums', () => {
  expect(crc32(Buffer.from('123456789'), 9)).toBe(0xcbf43926)
})

test('it is the checksum of whatever bytes, up to wherever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, most) => {
      const end = Math.min(most, bytes.length)
      expect(crc32(bytes, end)).toBe(ofNode(bytes.subarray(0, end)))
    }),
  )
})
