import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BLANKED_BYTES, type Kept, type MessageShape, chooseKept } from './shorten.js'

type Kind = 'system' | 'user' | 'assistant' | 'tool'
const shapes = (list: readonly (readonly [Kind, number])[]): readonly MessageShape[] =>
  list.map(([role, bytes], index) => ({
    index,
    role,
    bytes,
    opensTurn: role === 'user',
    toolResult: role === 'tool',
  }))
const total = (messages: readonly MessageShape[]): number =>
  messages.reduce((sum, message) => sum + message.bytes, 0)

const CHAT = shapes([
  ['system', 100],
  ['user', 50],
  ['assistant', 200],
  ['user', 60],
  ['tool', 900],
  ['assistant', 80],
  ['user', 40],
  ['tool', 700],
  ['tool', 500],
])

describe('chooseKept', () => {
  test('a conversation that fits stays whole', () => {
    expect(chooseKept(CHAT, total(CHAT))).toEqual({
      kind: 'kept',
      actions: CHAT.map(() => 'keep'),
      droppedTurns: 0,
      droppedMessages: 0,
      blankedToolResults: 0,
      bytes: 2_630,
    })
  })

  test('the oldest turn goes first, whole', () => {
    expect(chooseKept(CHAT, 2_629)).toMatchObject({
      actions: ['keep', 'drop', 'drop', 'keep', 'keep', 'keep', 'keep', 'keep', 'keep'],
      droppedTurns: 1,
      droppedMessages: 2,
      bytes: 2_380,
    })
  })

  test('when system and the last turn are left, the oldest tool results are blanked', () => {
    expect(chooseKept(CHAT, 1_000)).toMatchObject({
      actions: ['keep', 'drop', 'drop', 'drop', 'drop', 'drop', 'keep', 'blank', 'keep'],
      droppedTurns: 2,
      droppedMessages: 5,
      blankedToolResults: 1,
      bytes: 100 + 40 + BLANKED_BYTES + 500,
    })
  })

  test('the last question is never dropped: below it, nothing can be done', () => {
    expect(chooseKept(CHAT, 100 + 40 + 2 * BLANKED_BYTES).kind).toBe('kept')
    expect(chooseKept(CHAT, 100 + 40 + 2 * BLANKED_BYTES - 1)).toEqual({ kind: 'cannot' })
    expect(chooseKept([], -1)).toEqual({ kind: 'cannot' })
  })

  test('what precedes the first question is the oldest turn, and system messages always stay', () => {
    const messages = shapes([
      ['assistant', 300],
      ['user', 10],
      ['system', 20],
      ['assistant', 10],
      ['user', 10],
    ])
    expect(chooseKept(messages, 60)).toMatchObject({ actions: ['drop', 'keep', 'keep', 'keep', 'keep'] })
    expect(chooseKept(messages, 30)).toMatchObject({ actions: ['drop', 'drop', 'keep', 'drop', 'keep'] })
  })

  test('small tool results are not blanked: nothing would be won', () => {
    const messages = shapes([
      ['user', 10],
      ['tool', 60],
      ['tool', 300],
    ])
    expect(chooseKept(messages, 150)).toMatchObject({ actions: ['keep', 'keep', 'blank'] })
  })
})

const conversation = fc
  .array(
    fc.tuple(
      fc.constantFrom<Kind>('system', 'user', 'assistant', 'tool', 'tool'),
      fc.integer({ min: 1, max: 400 }),
    ),
    { maxLength: 25 },
  )
  .map(shapes)
const target = fc.integer({ min: 0, max: 3_000 })

/** The conversation as it is after the actions. */
function applied(messages: readonly MessageShape[], kept: Extract<Kept, { kind: 'kept' }>): MessageShape[] {
  return messages
    .filter((_, n) => kept.actions[n] !== 'drop')
    .map((message) =>
      kept.actions[message.index] === 'blank' ? { ...message, bytes: BLANKED_BYTES } : message,
    )
    .map((message, index) => ({ ...message, index }))
}

describe('chooseKept for any conversation', () => {
  test('the result fits, is counted right, and keeps system messages and the last turn', () => {
    fc.assert(
      fc.property(conversation, target, (messages, bytes) => {
        const kept = chooseKept(messages, bytes)
        if (kept.kind === 'cannot') return
        expect(kept.bytes).toBe(total(applied(messages, kept)))
        expect(kept.bytes).toBeLessThanOrEqual(bytes)
        expect(kept.actions.filter((action) => action === 'drop')).toHaveLength(kept.droppedMessages)
        expect(kept.actions.filter((action) => action === 'blank')).toHaveLength(kept.blankedToolResults)
        const lastTurn = messages.findLastIndex((message) => message.opensTurn)
        const sacred = messages.filter(
          ({ role, index }) => role === 'system' || (lastTurn >= 0 && index >= lastTurn),
        )
        expect(sacred.map(({ index }) => kept.actions[index])).not.toContain('drop')
        const blanked = messages.filter(({ index }) => kept.actions[index] === 'blank')
        expect(blanked.every(({ toolResult }) => toolResult)).toBe(true)
      }),
    )
  })

  test('turns are dropped whole and from the front', () => {
    fc.assert(
      fc.property(conversation, target, (messages, bytes) => {
        const kept = chooseKept(messages, bytes)
        if (kept.kind === 'cannot') return
        const spoken = messages.filter((message) => message.role !== 'system')
        const dropped = spoken.map((message) => kept.actions[message.index] === 'drop')
        const firstKept = dropped.indexOf(false)
        expect(dropped.slice(Math.max(0, firstKept))).not.toContain(true)
        const nextTurnStarts = kept.droppedTurns === 0 || spoken[firstKept]?.opensTurn
        expect(nextTurnStarts).toBe(true)
      }),
    )
  })

  test('shortening what is short enough changes nothing more', () => {
    fc.assert(
      fc.property(conversation, target, (messages, bytes) => {
        const kept = chooseKept(messages, bytes)
        if (kept.kind === 'cannot') return
        const again = chooseKept(applied(messages, kept), bytes)
        expect(again).toMatchObject({
          kind: 'kept',
          droppedTurns: 0,
          blankedToolResults: 0,
          bytes: kept.bytes,
        })
      }),
    )
  })

  test('a larger target never loses more', () => {
    fc.assert(
      fc.property(conversation, target, fc.nat(500), (messages, bytes, more) => {
        const tight = chooseKept(messages, bytes)
        if (tight.kind === 'cannot') return
        const wide = chooseKept(messages, bytes + more)
        expect(wide.kind === 'kept' ? wide.bytes : -1).toBeGreaterThanOrEqual(tight.bytes)
      }),
    )
  })
})
