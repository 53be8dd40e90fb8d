// Which deployment has which prompt prefix warm, as far as can be told from what was sent there: a chain of
// hashes per request, remembered per deployment until the provider would have dropped it. A belief, never a
// promise: when it is wrong a prompt is computed again, nothing else. What was reported as read from the
// cache corrects it.

import { dropOldest } from '../drop-oldest.js'

/**
 * A prompt as the hashes of its beginnings, shortest first, and how many tokens each of them is long. Equal
 * hashes mean equal beginnings of the same tenant; a collision only costs locality.
 */
export interface PrefixChain {
  readonly hashes: readonly number[]
  /** Of the whole beginning, so they rise. */
  readonly tokens: readonly number[]
}

export const NO_PREFIX: PrefixChain = { hashes: [], tokens: [] }

/** How long and how much a deployment keeps. */
export interface WarmPolicy {
  /** After the last use, ms. Infinity: until there is no room. */
  readonly ttlMs: number
  /** Tokens that it can hold. Infinity: only `ttlMs` counts. */
  readonly roomTokens: number
}

/** Beginnings remembered per deployment. Each takes about 100 bytes. */
export const PREFIXES_MAX = 32_768
/** Deployments remembered; the one that has rested longest goes. */
export const PLACES_MAX = 1_024

/** Wrong about more than half: the deployment keeps less than was thought. */
const WRONG_SHARE = 0.5
const ROOM_SHRINKS = 0.9
const ROOM_GROWS = 1.01
/** It is never believed to hold less than this, tokens: one long prompt. */
const ROOM_MIN = 32_768

interface Warm {
  /** Tokens that this beginning adds to the one before it. */
  readonly tokens: number
  usedMs: number
  /** When it was last put at the end of the line of those that are to go. */
  queuedMs: number
}

/** What one deployment has warm: a bounded map in about the order of last use. */
export class WarmPrefixes {
  readonly #warm = new Map<number, Warm>()
  #policy: WarmPolicy
  #roomTokens: number
  #heldTokens = 0
  #nowMs = 0
  /** It has told of cached tokens at least once, so that telling of none means something. */
  #tells = false

  constructor(policy: WarmPolicy) {
    this.#policy = policy
    this.#roomTokens = policy.roomTokens
  }

  /** A reload may change how the provider is hosted. What was learned stays only while it does not. */
  adopt(policy: WarmPolicy): void {
    if (policy.ttlMs === this.#policy.ttlMs && policy.roomTokens === this.#policy.roomTokens) return
    this.#policy = policy
    this.#roomTokens = policy.roomTokens
    this.#makeRoom()
  }

  /** Tokens of the longest beginning that is warm. */
  match({ hashes, tokens }: PrefixChain, nowMs: number): number {
    const now = this.#time(nowMs)
    for (let at = hashes.length - 1; at >= 0; at -= 1) {
      const warm = this.#warm.get(hashes[at] as number)
      if (warm !== undefined && now - warm.usedMs <= this.#policy.ttlMs) return tokens[at] as number
    }
    return 0
  }

  /** A prompt goes there: from now on all its beginnings are warm. */
  touch({ hashes, tokens }: PrefixChain, nowMs: number): void {
    const now = this.#time(nowMs)
    let before = 0
    for (let at = 0; at < hashes.length; at += 1) {
      const hash = hashes[at] as number
      const upTo = tokens[at] as number
      const warm = this.#warm.get(hash)
      if (warm !== undefined) warm.usedMs = now
      else this.#add(hash, { tokens: Math.max(0, upTo - before), usedMs: now, queuedMs: now })
      before = upTo
    }
    this.#makeRoom()
  }

  /** What an answer said was read from the cache, against what was thought to be warm. */
  learn(believedTokens: number, cachedTokens: number): void {
    if (cachedTokens > 0) this.#tells = true
    if (!this.#tells || believedTokens === 0 || this.#policy.roomTokens === Infinity) return
    const isWrong = cachedTokens < believedTokens * WRONG_SHARE
    const room = this.#roomTokens * (isWrong ? ROOM_SHRINKS : ROOM_GROWS)
    this.#roomTokens = Math.min(this.#policy.roomTokens, Math.max(ROOM_MIN, room))
    if (isWrong) this.#makeRoom()
  }

  /** It was restarted, or its cache was emptied. */
  clear(): void {
    this.#warm.clear()
    this.#heldTokens = 0
  }

  get prefixes(): number {
    return this.#warm.size
  }

  get heldTokens(): number {
    return this.#heldTokens
  }

  #add(hash: number, warm: Warm): void {
    this.#warm.set(hash, warm)
    this.#heldTokens += warm.tokens
  }

  /**
   * The longest unused goes. Using one does not move it in the map, which would cost more than all the rest:
   * it gets its new place when its turn comes.
   */
  #makeRoom(): void {
    for (const [hash, warm] of this.#warm) {
      if (this.#heldTokens <= this.#roomTokens && this.#warm.size <= PREFIXES_MAX) return
      this.#warm.delete(hash)
      if (warm.usedMs > warm.queuedMs) {
        warm.queuedMs = warm.usedMs
        this.#warm.set(hash, warm)
      } else this.#heldTokens -= warm.tokens
    }
  }

  /** A clock that goes back makes nothing younger. */
  #time(nowMs: number): number {
    if (nowMs > this.#nowMs) this.#nowMs = nowMs
    return this.#nowMs
  }
}

/** What all deployments have warm, by id. */
export class PrefixMemory {
  readonly #places = new Map<string, WarmPrefixes>()

  of(deployment: string, policy: WarmPolicy): WarmPrefixes {
    const known = this.#places.get(deployment)
    if (known !== undefined) {
      known.adopt(policy)
      return known
    }
    const made = new WarmPrefixes(policy)
    this.#places.set(deployment, made)
    if (this.#places.size > PLACES_MAX) dropOldest(this.#places)
    return made
  }

  known(deployment: string): WarmPrefixes | undefined {
    return this.#places.get(deployment)
  }
}
