import { describe, expect, test } from 'vitest'
import type { ProviderConfig } from '../core/release/release.js'
import { bundledPromptCaches, parsePromptCaches } from './prompt-caches.js'

const provider = (kind: string, hosting = 'hosted') => ({ kind, hosting }) as unknown as ProviderConfig
const rules = (kind: string, model: string, hosting?: string) =>
  bundledPromptCaches().rulesFor(provider(kind, hosting), model)

describe('what came with this version', () => {
  test.each([
    ['openai', 'gpt-4o', 1_024, 'key'],
    ['azure', 'whatever', 1_024, 'key'],
    ['anthropic', 'claude-sonnet-4-5-20250929', 1_024, 'marks'],
    ['anthropic', 'claude-sonnet-4-20250514', 1_024, 'marks'],
    ['anthropic', 'claude-opus-4-1-20250805', 1_024, 'marks'],
    ['anthropic', 'claude-opus-4-5-20251101', 4_096, 'marks'],
    ['anthropic', 'claude-opus-4-6', 4_096, 'marks'],
    ['anthropic', 'claude-sonnet-4-6', 2_048, 'marks'],
    ['anthropic', 'claude-haiku-4-5', 4_096, 'marks'],
    ['anthropic', 'claude-3-5-haiku-20241022', 2_048, 'marks'],
    ['anthropic', 'claude-of-tomorrow', 4_096, 'marks'],
    ['vertex', 'claude-opus-4-6@default', 4_096, 'marks'],
    ['bedrock', 'eu.anthropic.claude-sonnet-4-20250514-v1:0', 1_024, 'marks'],
    ['bedrock', 'amazon.nova-lite-v1:0', 1_024, 'nothing'],
    ['gemini', 'gemini-2.5-flash', 2_048, 'nothing'],
    ['openai-compatible', 'llama', 1_024, 'nothing'],
    ['simulated', 'anything', 1_024, 'nothing'],
  ] as const)('%s %s keeps from %i tokens on and is asked by %s', (kind, model, minTokens, ask) => {
    expect(rules(kind, model)).toMatchObject({ minTokens, ask })
  })

  test('a server of our own keeps prompts until it needs the room, others for minutes', () => {
    expect(rules('openai-compatible', 'llama', 'self-hosted')).toMatchObject({ ttlMs: Infinity })
    expect(rules('openai', 'gpt-4o')).toMatchObject({ ttlMs: 300_000, roomTokens: Infinity })
  })

  test('is dated', () => {
    expect(bundledPromptCaches().asOf).toMatch(/^20\d\d-\d\d-\d\d$/)
  })
})

describe('parsePromptCaches', () => {
  test('names the place of every mistake', () => {
    const rule = '{"kinds": ["openai"], "model": "(", "min_tokens": 0, "ask": "please", "source": "doc"}'
    const text = `{"as_of": "2026-01-01", "sources": {}, "rules": [\n${rule}]}`
    const read = parsePromptCaches({ text, file: 'facts.json' })
    const problems = read.kind === 'invalid' ? read.problems : []
    expect(problems.map(({ at }) => at)).toEqual(['facts.json:2:32', 'facts.json:2:51', 'facts.json:2:61'])
  })
})
