// Ids: a readable prefix, the time, and a tail. Time first makes them sort by age, so that stores append; the
// tail starts at random every millisecond and counts up within it, so that ids made in one process are
// strictly ordered.

import type { IdKind } from '../../core/ids.js'

/** Crockford's base 32: no letter that looks like a digit, and in the order of ASCII. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const PAIRS = Array.from({ length: 1024 }, (_, n) => ALPHABET.charAt(n >> 5) + ALPHABET.charAt(n & 31))

const PREFIX: Readonly<Record<IdKind, string>> = {
  task: 'task_',
  step: 'step_',
  attempt: 'att_',
  hold: 'hold_',
  message: 'msg_',
}

/** The tail is two halves of 25 bits: together more than 2^50 ids in one millisecond. */
const HALF = 2 ** 25

function pair(value: number): string {
  return PAIRS[value & 1023] ?? ''
}

function half(value: number): string {
  return pair(value >> 15) + pair(value >> 5) + ALPHABET.charAt(value & 31)
}

function time(ms: number): string {
  return half(Math.floor(ms / HALF)) + half(ms % HALF)
}

/** `nowMs` and `random` are the clock and the dice; ids stay ordered when the clock steps back. */
export function createIds(nowMs: () => number, random: () => number): (kind: IdKind) => string {
  let lastMs = -1
  let prefix = ''
  let high = 0
  let low = 0
  return (kind) => {
    const now = nowMs()
    if (now > lastMs) {
      lastMs = now
      // The top bit stays free, so that counting up never overflows within a millisecond.
      high = Math.floor((random() * HALF) / 2)
      low = Math.floor(random() * HALF)
      prefix = time(now) + half(high)
    } else if (++low === HALF) {
      low = 0
      prefix = time(lastMs) + half(++high)
    }
    return PREFIX[kind] + prefix + half(low)
  }
}
