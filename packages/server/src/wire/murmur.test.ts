import { expect, test } from 'vitest'
import { murmur128 } from './murmur.js'

// From the reference implementation in C, seed 0.
test.each([
  ['', '00000000 00000000 00000000 00000000'],
  ['a', 'a794933c 5556b01b 5556b01b 5556b01b'],
  ['hello', '2b2444a0 db91def7 9adb31b6 9adb31b6'],
  ['0123456789abcdef', 'fb7d4409 36aed30a 48ad1d9b 572b3bfd'],
  ['task_01M86C3TKQAHKH4FD63M', 'd48a6800 d0423ad1 7f526257 fd52b92c'],
  ['The quick brown fox jumps over the lazy dog', '2f1583c3 ecee2c67 5d7bf66c e5e91d2c'],
])('%j has the published hash', (text, hash) => {
  const words = murmur128(text).map((word) => (word >>> 0).toString(16).padStart(8, '0'))
  expect(words.join(' ')).toBe(hash)
})
