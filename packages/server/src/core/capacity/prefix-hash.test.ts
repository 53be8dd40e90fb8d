import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BLOCKS_MAX, type PromptParts, prefixChain } from './prefix-hash.js'

const say = (role: string, content: unknown) => ({ role, content })
const PROMPT: PromptParts = {
  tenant: 'acme',
  head: [[{ type: 'function', function: { name: 'search', description: 'Searches.' } }], 'Be brief.'],
  messages: [say('user', 'Hello'), say('assistant', 'Hi'), say('user', 'What is the capital of France?')],
  tokens: 1_000,
}
const of = (changes: Partial<PromptParts>) => prefixChain({ ...PROMPT, ...changes })

/** How many of the beginnings are the same. */
function shared(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((hash, index) => hash !== b[index])
  return differs === -1 ? a.length : differs
}

describe('prefixChain', () => {
  test('has one beginning for what comes first and one per message, as long as the prompt', () => {
    const { hashes, tokens } = of({})
    expect(new Set(hashes).size).toBe(4)
    expect(tokens.at(-1)).toBe(1_000)
    expect([...tokens].sort((a, b) => a - b)).toEqual(tokens)
  })

  test('the next turn begins with all of the last', () => {
    const next = of({ messages: [...PROMPT.messages, say('assistant', 'Paris'), say('user', 'Thanks')] })
    expect(shared(of({}).hashes, next.hashes)).toBe(4)
  })

  test('another word anywhere is another prompt from there on', () => {
    const other = of({
      messages: [say('user', 'Hello'), say('assistant', 'Ho'), ...PROMPT.messages.slice(2)],
    })
    expect(shared(of({}).hashes, other.hashes)).toBe(2)
    expect(shared(of({}).hashes, of({ head: [PROMPT.head[0], 'Be brave.'] }).hashes)).toBe(0)
  })

  test('tenants share nothing', () => {
    expect(shared(of({}).hashes, of({ tenant: 'beta' }).hashes)).toBe(0)
  })

  test('marks of what to cache may move', () => {
    const part = { type: 'text', text: 'Hello' }
    const marked = say('user', [{ ...part, cache_control: { type: 'ephemeral' } }])
    expect(of({ messages: [marked] })).toEqual(of({ messages: [say('user', [part])] }))
  })

  test('long texts are told apart by their ends and their length', () => {
    const text = 'x'.repeat(20_000)
    const first = (content: string) => of({ head: [], messages: [say('user', content)] }).hashes[0]
    expect(first(text)).not.toBe(first(`${text}x`))
    expect(first(`${text}a`)).not.toBe(first(`${text}b`))
    expect(first(`a${text}`)).not.toBe(first(`b${text}`))
  })

  test('of a long conversation the last beginnings are kept, and the next turn meets them', () => {
    const long = Array.from({ length: 300 }, (_, index) => say('user', `message ${index}`))
    const now = of({ messages: long })
    const next = of({ messages: [...long, say('assistant', 'yes'), say('user', 'and?')] })
    expect(now.hashes.length).toBeLessThanOrEqual(BLOCKS_MAX)
    expect(next.hashes).toContain(now.hashes.at(-1))
  })

  test('a prompt of absurd structure has no beginnings', () => {
    const parts = Array.from({ length: 30_000 }, () => 'a')
    expect(of({ messages: [say('user', parts)] })).toEqual({ hashes: [], tokens: [] })
    expect(of({ head: [], messages: [] })).toEqual({ hashes: [], tokens: [] })
  })

  test('is made of safe integers, the same every time', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), (messages) => {
        const { hashes, tokens } = of({ messages })
        expect(hashes.every(Number.isSafeInteger)).toBe(true)
        expect(tokens.every((count) => count >= 0 && count <= 1_000)).toBe(true)
        expect(of({ messages }).hashes).toEqual(hashes)
      }),
    )
  })

  test('many different short prompts do not collide', () => {
    const all = Array.from({ length: 20_000 }, (_, n) => of({ messages: [say('user', `question ${n}`)] }))
    expect(new Set(all.map(({ hashes }) => hashes.at(-1))).size).toBe(20_000)
  })
})
