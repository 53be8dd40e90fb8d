// The last answers that nobody has asked for again, in memory that is written over and over. Entries of
// their own would each live just long enough to become old, and the garbage collector would carry every one
// of them there.

import type { CacheKeyParts } from '../core/cache/cache-key.js'

/** An answer as it can be given again: whole JSON, or the frames of a stream, in the caller's format. */
export interface CachedAnswer {
  readonly streamed: boolean
  readonly bytes: Uint8Array
  readonly model: string
  readonly deployment: string
}

export interface Remembered {
  readonly parts: Omit<CacheKeyParts, 'request'>
  /** The request as it came, JSON. */
  readonly request: Uint8Array
  readonly answer: CachedAnswer
  readonly atMs: number
}

interface Slot {
  tenant: string
  contract: string
  wire: CacheKeyParts['wire']
  model: string
  deployment: string
  streamed: boolean
  atMs: number
  /** In the arena: the request, and right behind it the answer. */
  start: number
  requestBytes: number
  answerBytes: number
}

export class AnswerRing {
  readonly #slots: Slot[] = []
  readonly #slotsMax: number
  readonly #arenaBytes: number
  /** Made when the first answer is remembered. */
  #arena: Buffer | null = null
  /** Slots in use: `#count` of them from `#first` on, round the end. */
  #first = 0
  #count = 0
  #next = 0

  constructor(limits: { readonly slots: number; readonly bytes: number }) {
    this.#slotsMax = limits.slots
    this.#arenaBytes = limits.bytes
  }

  /** The oldest give way. What is larger than the whole ring is not kept. */
  push({ parts, request, answer, atMs }: Remembered): void {
    const length = request.length + answer.bytes.length
    if (length > this.#arenaBytes) return
    const arena = (this.#arena ??= Buffer.allocUnsafeSlow(this.#arenaBytes))
    // An entry of nothing takes a byte, too, so that every one has a place of its own.
    const start = this.#makeRoom(Math.max(1, length))
    arena.set(request, start)
    arena.set(answer.bytes, start + request.length)
    const slot = this.#take()
    slot.tenant = parts.tenant
    slot.contract = parts.contract
    slot.wire = parts.wire
    slot.model = answer.model
    slot.deployment = answer.deployment
    slot.streamed = answer.streamed
    slot.atMs = atMs
    slot.start = start
    slot.requestBytes = request.length
    slot.answerBytes = answer.bytes.length
  }

  /** Everything in it, oldest first, as copies; it is empty afterwards. */
  drain(): readonly Remembered[] {
    const all: Remembered[] = []
    for (; this.#count > 0; this.#drop()) {
      const slot = this.#slots[this.#first]
      if (slot !== undefined && this.#arena !== null) all.push(rememberedAt(slot, this.#arena))
    }
    return all
  }

  /** Where `length` bytes go. Whatever they would write over is dropped first; it is always the oldest. */
  #makeRoom(length: number): number {
    const start = this.#next + length > this.#arenaBytes ? 0 : this.#next
    const end = start + length
    // After wrapping, what lies behind the old end is older than what lies at the start.
    while (this.#count > 0 && this.#isInTheWay({ start, end, wrapped: start < this.#next })) this.#drop()
    if (this.#count === this.#slotsMax) this.#drop()
    this.#next = end
    return start
  }

  #isInTheWay(room: { readonly start: number; readonly end: number; readonly wrapped: boolean }): boolean {
    const oldest = this.#slots[this.#first]
    if (oldest === undefined) return false
    const oldestEnd = oldest.start + Math.max(1, oldest.requestBytes + oldest.answerBytes)
    if (room.wrapped && oldest.start >= this.#next) return true
    return oldest.start < room.end && oldestEnd > room.start
  }

  #take(): Slot {
    const index = (this.#first + this.#count) % this.#slotsMax
    const slot = (this.#slots[index] ??= emptySlot())
    this.#count += 1
    return slot
  }

  #drop(): void {
    this.#first = (this.#first + 1) % this.#slotsMax
    this.#count -= 1
  }
}

function emptySlot(): Slot {
  return {
    tenant: '',
    contract: '',
    wire: 'openai-chat',
    model: '',
    deployment: '',
    streamed: false,
    atMs: 0.5, // a fraction, so that the field holds times without a box for each
    start: 0,
    requestBytes: 0,
    answerBytes: 0,
  }
}

function rememberedAt(slot: Slot, arena: Buffer): Remembered {
  const { tenant, contract, wire, model, deployment, streamed, atMs, start, requestBytes, answerBytes } = slot
  const between = start + requestBytes
  return {
    parts: { tenant, contract, wire },
    request: Buffer.from(arena.subarray(start, between)),
    answer: {
      streamed,
      model,
      deployment,
      bytes: Buffer.from(arena.subarray(between, between + answerBytes)),
    },
    atMs,
  }
}
