import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteLog } from './byte-log.js'

test('what went in piece by piece comes out whole, and what was taken earlier stays as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 6_000 }), { maxLength: 20 }), (pieces) => {
      const log = new ByteLog()
      const taken: { readonly bytes: Uint8Array; readonly text: string }[] = []
      for (const piece of pieces) {
        log.push(piece)
        taken.push({ bytes: log.bytes(), text: Buffer.from(log.bytes()).toString('hex') })
      }
      expect(Buffer.from(log.bytes()).toString('hex')).toBe(Buffer.concat(pieces).toString('hex'))
      expect(log.length).toBe(Buffer.concat(pieces).length)
      for (const { bytes, text } of taken) expect(Buffer.from(bytes).toString('hex')).toBe(text)
    }),
  )
})
