import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ProviderConfig } from '../core/release/release.js'
import { refusalCause } from '../core/capacity/quota-rules.js'
import { bundledProviderLimits, parseProviderLimits } from './provider-limits.js'

const FILE = new URL('../../data/provider-limits.json', import.meta.url)
const text = readFileSync(FILE, 'utf8')
const rules = (kind: ProviderConfig['kind'], model = 'm', baseUrl = 'https://host/v1') =>
  bundledProviderLimits().rulesFor({ kind, baseUrl } as ProviderConfig, model)

const KINDS = [
  'openai',
  'azure',
  'anthropic',
  'bedrock',
  'vertex',
  'gemini',
  'openai-compatible',
  'on-device',
  'simulated',
] as const

describe('the facts that come with this version', () => {
  test('have a date, and something for every kind of provider', () => {
    expect(bundledProviderLimits().asOf).toMatch(/^20\d\d-\d\d-\d\d$/)
    for (const kind of KINDS) expect(rules(kind).requestsSliceMs).toBeGreaterThan(0)
  })

  test('charge as each provider does', () => {
    expect(rules('openai').tokens).toMatchObject({
      start: 'greater_of_input_and_max_output',
      end: 'as_at_start',
    })
    expect(rules('azure')).toMatchObject({
      tokens: { start: 'input_and_max_output', end: 'as_at_start' },
      requestsSliceMs: 1_000,
    })
    expect(rules('anthropic')).toMatchObject({ outputTokens: { end: 'output' }, chargesCacheReads: false })
    const weight = (model: string) => rules('bedrock', model).tokens.outputWeight
    expect(weight('eu.anthropic.claude-sonnet-4-20250514-v1:0')).toBe(5)
    expect(weight('anthropic.claude-3-5-haiku-20241022-v1:0')).toBe(1)
    expect(rules('bedrock', 'anthropic.claude-opus-4-1')).toMatchObject({
      theirCapacity: rules('bedrock').theirCapacity,
      chargesCacheReads: false,
    })
  })

  test('tell their lack of capacity from our quota', () => {
    const of = (kind: ProviderConfig['kind'], status: number, error: string | null = null) =>
      refusalCause(rules(kind), { end: `http_${status}`, status }, error)
    expect(of('anthropic', 529)).toEqual({ kind: 'their-capacity', restMs: 2_000 })
    expect(of('bedrock', 503, 'ServiceUnavailableException')).toMatchObject({ kind: 'their-capacity' })
    expect(of('bedrock', 429, 'ModelNotReadyException')).toMatchObject({ restMs: 5_000 })
    expect(of('bedrock', 429, 'ThrottlingException')).toEqual({ kind: 'quota' })
    for (const kind of KINDS) expect(of(kind, 429)).toEqual({ kind: 'quota' })
    for (const kind of KINDS) expect(of(kind, 503)).toMatchObject({ kind: 'their-capacity' })
    // Turned away in the middle of an answer: a quota is refused before.
    expect(refusalCause(rules('openai'), { end: 'throttled', status: 200 }, null)).toMatchObject({
      kind: 'their-capacity',
    })
    expect(refusalCause(rules('bedrock'), { end: 'throttled', status: 400 }, null)).toEqual({ kind: 'quota' })
    expect(refusalCause(rules('openai'), { end: 'http_500', status: 500 }, null)).toBeNull()
  })
})

describe('a mistake in the facts', () => {
  const problems = (before: string, after: string) => {
    const parsed = parseProviderLimits({ text: text.replace(before, after), file: 'limits.json' })
    return parsed.kind === 'ok' ? [] : parsed.problems.map(({ at, message }) => `${at} ${message}`)
  }

  test.each([
    ['"per": "day"', '"pre": "day"', 'unknown key `pre`'],
    ['"start": "input_and_max_output"', '"start": "input_and_max"', 'unknown charge `input_and_max`'],
    ['"source": "doc"', '"source": "rumour"', 'unknown source `rumour`'],
    ['"host": "api.groq.com"', '"source": "own"', 'needs `host` or `model`'],
    ['"x-ratelimit-limit-requests"', '"X-RateLimit-Limit-Requests"', 'must be in lower case'],
    ['-4"', '-4("', 'must be a regular expression'],
    ['"rest_ms": 5000', '"rest_ms": 0', 'must be a whole number from 1 to 600000 ms'],
  ])('%s -> %s is named with its line', (before, after, message) => {
    expect(problems(before, after).join('\n')).toMatch(/limits\.json:\d+:\d+ /)
    expect(problems(before, after).join('\n')).toContain(message)
  })
})
