// Where the simulator's chance comes from: text in, numbers out. No state outside a `Dice`, so the same seed
// and the same question always give the same answer, in every process.

/** A seeded sequence of numbers. */
export interface Dice {
  /** 0 <= x < 1. */
  next(): number
  /** A whole number, `low` and `high` included. */
  between(low: number, high: number): number
  pick<T>(items: readonly [T, ...T[]]): T
}

/** 32 bits of FNV-1a over UTF-16 units, mixed once more because FNV's upper bits are weak on short text. */
export function hash32(text: string, seed = 0): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(hash)
}

function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** `length` hexadecimal digits that name `text`: for ids. */
export function hexName(text: string, length: number): string {
  let name = ''
  for (let round = 1; name.length < length; round++) name += hash32(text, round).toString(16).padStart(8, '0')
  return name.slice(0, length)
}

/** One number per question, 0 <= x < 1: for decisions that must not shift when another one is added. */
export function chance(question: string, seed: number): number {
  return hash32(question, seed) / 2 ** 32
}

export function diceOf(question: string, seed: number): Dice {
  let state = hash32(question, seed)
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    return mix(state) / 2 ** 32
  }
  return {
    next,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
  }
}
