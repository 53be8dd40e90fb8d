// The beginnings of a prompt as hashes, cut between messages: what comes before them all (tools,
// instructions), then after each one. The hash is fast and can be made to collide; whoever does that gets a
// cold replica. The tenant is part of it: what one tenant sent tells another nothing, not even by how fast
// it is answered.

import { isObject } from '../json.js'
import { type PrefixChain, NO_PREFIX } from './prefix-memory.js'

export interface PromptParts {
  readonly tenant: string
  readonly head: readonly unknown[]
  readonly messages: readonly unknown[]
  /** Of everything, estimated. */
  readonly tokens: number
}

/** Ends of a prompt that are remembered: of a longer conversation the first and the last. */
export const BLOCKS_MAX = 64
/** Of a prompt that is looked at; a longer one has no beginnings. */
const NODES_MAX = 20_000
/**
 * Definitions of tools are told apart by their names and descriptions, not by all that is nested in them.
 */
const DEPTH_MAX = 4
/** A text is read in whole up to here, else its start, its end and an even sample of what is between. */
const WHOLE_CHARS = 128
const EDGE_CHARS = 48
const SAMPLES = 32

export function prefixChain({ tenant, head, messages, tokens }: PromptParts): PrefixChain {
  const hash = new PrefixHash()
  hash.text(tenant)
  const started = hash.chars
  for (const part of head) hash.value(part, 0)
  const hashes: number[] = []
  const ends: number[] = []
  const note = (): void => {
    hashes.push(hash.digest())
    ends.push(hash.chars - started)
  }
  const first = messages.length - BLOCKS_MAX + 2
  if (hash.chars > started) note()
  for (let at = 0; at < messages.length; at += 1) {
    hash.value(messages[at], 0)
    if (hash.nodes > NODES_MAX) return NO_PREFIX
    // The first tells one conversation from another.
    if (at === 0 || at >= first) note()
  }
  const total = hash.chars - started
  return { hashes, tokens: ends.map((chars) => Math.round((tokens * chars) / total)) }
}

/** Of a name, to tell it from others. */
export function textHash(text: string): number {
  const hash = new PrefixHash()
  hash.text(text)
  return hash.digest()
}

class PrefixHash {
  #low = 0x2f6b4c1d
  #high = 0x5bd1e995
  chars = 0
  nodes = 0

  text(text: string): void {
    const { length } = text
    this.chars += length
    this.#mix(length)
    if (length <= WHOLE_CHARS) return this.#range(text, 0, length)
    this.#range(text, 0, EDGE_CHARS)
    const stride = Math.ceil((length - 2 * EDGE_CHARS) / SAMPLES)
    for (let at = EDGE_CHARS; at < length - EDGE_CHARS; at += stride) this.#mix(text.charCodeAt(at))
    this.#range(text, length - EDGE_CHARS, length)
  }

  /** Marks of what to cache move from turn to turn and say nothing of the prompt. */
  value(value: unknown, depth: number): void {
    this.nodes += 1
    if (typeof value === 'string') return this.text(value)
    if (depth > DEPTH_MAX) return this.#mix(DEPTH_MAX)
    if (Array.isArray(value)) {
      this.#mix(value.length + 7)
      for (const each of value) this.value(each, depth + 1)
    } else if (isObject(value)) this.#object(value, depth)
    else this.#mix(typeof value === 'number' ? value | 0 : value === true ? 3 : 5)
  }

  #object(value: Readonly<Record<string, unknown>>, depth: number): void {
    for (const key in value) {
      if (key === 'cache_control') continue
      this.#mix(key.length)
      this.#mix(key.charCodeAt(0))
      this.value(value[key], depth + 1)
    }
    this.#mix(11)
  }

  /** 53 bits. */
  digest(): number {
    const low = avalanche(this.#low ^ (this.#high >>> 7))
    const high = avalanche(this.#high + this.#low)
    return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
  }

  #range(text: string, from: number, to: number): void {
    let low = this.#low
    let high = this.#high
    for (let at = from; at < to; at += 1) {
      low = Math.imul(low ^ text.charCodeAt(at), 0xcc9e2d51)
      low = (low << 15) | (low >>> 17)
      high = Math.imul(high ^ low, 0x1b873593)
      high = (high << 13) | (high >>> 19)
    }
    this.#low = low
    this.#high = high
  }

  #mix(word: number): void {
    const low = Math.imul(this.#low ^ word, 0xcc9e2d51)
    this.#low = (low << 15) | (low >>> 17)
    const high = Math.imul(this.#high ^ this.#low, 0x1b873593)
    this.#high = (high << 13) | (high >>> 19)
  }
}

/** Every bit of the input changes half of the bits. */
function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
