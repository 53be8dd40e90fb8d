import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteLog } from './byte-log.js'

test('what went in piece by piece comes out whole, and what was taken earlier stays as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 6_000 }), { maxLength: 20 }), (pieces) => {
      const log = new ByteLog()
      let taken: { readonly bytes: Uint8Array; readonly text: string } | null = null
      for (const piece of pieces) {
        log.push(piece)
        taken ??= { bytes: log.bytes(), text: Buffer.from(log.bytes()).toString('hex') }
      }
      expect(Buffer.from(log.bytes()).toString('hex')).toBe(Buffer.concat(pieces).toString('hex'))
      expect(log.length).toBe(Buffer.concat(pieces).length)
      if (taken !== null) expect(Buffer.from(taken.bytes).toString('hex')).toBe(taken.text)
    }),
  )
})
