import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import type { Json, JsonObject } from '../core/json.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function idOf(text: string, env: Readonly<Record<string, string>> = {}): string {
  const result = parseConfig({ text, file: 'f.yaml', env, prices, sha256 })
  if (result.kind === 'ok') return result.value.id
  throw new Error(JSON.stringify(result.problems))
}

const CONFIG: JsonObject = {
  providers: {
    openai: { kind: 'openai', api_key: 'sk-secret', headers: { 'x-team': 'one', 'x-cost': 'two' } },
    sim: { kind: 'simulated', seed: 3, models: { 'gpt-4o': { error_rate: 0.1 } } },
  },
  models: {
    10: { tier: 'small', deployments: [{ provider: 'sim', model: 'x' }] },
    9: {
      tier: 'mid',
      deployments: [
        { provider: 'sim', model: 'y' },
        { provider: 'openai', model: 'gpt-4o' },
      ],
    },
  },
  tasks: {
    a: { budget: { max_model_calls: 3, max_cost_usd: 0.1 }, success: ["output.text != ''", 'not escalated'] },
    b: { degrade: ['refine'], signals: { score: { from: 'output' }, confidence: { from: 'logprobs' } } },
  },
  tenants: { t: { keys: ['one', 'two'], attributes: { region: 'eu', plan: 'pro' } } },
  defaults: { cache: { exact: { ttl_seconds: 60 } } },
  limits: { usd_per_day: 10 },
}
const ID = idOf(stringify(CONFIG))

/** The same content with the keys of every map in another order. */
function shuffled(value: Json, rank: (key: string) => number): Json {
  if (Array.isArray(value)) return value.map((item: Json) => shuffled(item, rank))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([left], [right]) => rank(left) - rank(right))
  return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item ?? null, rank)]))
}

describe('the id of a release', () => {
  test('is `rel_` and 16 hex digits', () => {
    expect(ID).toMatch(/^rel_[0-9a-f]{16}$/)
  })

  test('does not depend on layout, comments or the order of keys', () => {
    const style = fc.record({
      salt: fc.string(),
      indent: fc.constantFrom(2, 4, 7),
      flow: fc.boolean(),
      quotes: fc.constantFrom('PLAIN' as const, 'QUOTE_DOUBLE' as const, 'QUOTE_SINGLE' as const),
      comment: fc.boolean(),
    })
    fc.assert(
      fc.property(style, ({ salt, indent, flow, quotes, comment }) => {
        const rank = (key: string): number => parseInt(sha256(salt + key).slice(0, 8), 16)
        const text = stringify(shuffled(CONFIG, rank), {
          indent,
          collectionStyle: flow ? 'flow' : 'block',
          defaultStringType: quotes,
        })
        expect(idOf(comment ? `# a comment\n${text}\n# another\n` : text)).toBe(ID)
      }),
      { numRuns: 60 },
    )
  })

  test('does not depend on whether a value comes from the environment, nor on the name of the file', () => {
    const text = stringify(CONFIG).replace('sk-secret', '${KEY}')
    expect(idOf(text, { KEY: 'sk-secret' })).toBe(ID)
  })

  test.each([
    ['a provider key', 'sk-secret', 'sk-other'],
    ['a header', 'x-team: one', 'x-team: three'],
    ['a tenant key', '- two', '- three'],
    ['an attribute', 'plan: pro', 'plan: free'],
    ['a budget', 'max_model_calls: 3', 'max_model_calls: 4'],
    ['a rule', 'not escalated', 'escalated'],
    ['a knob of the simulation', 'error_rate: 0.1', 'error_rate: 0.2'],
    ['a ceiling', 'usd_per_day: 10', 'usd_per_day: 11'],
    ['a deployment', 'model: x', 'model: z'],
  ])('changes with %s', (_, from, to) => {
    const text = stringify(CONFIG)
    expect(text).toContain(from)
    expect(idOf(text.replace(from, to))).not.toBe(ID)
  })

  test('changes with the order of a ladder and of rules, because order decides', () => {
    const one = 'tasks: { a: { degrade: [refine, cached_answer] } }'
    expect(idOf(one)).not.toBe(idOf('tasks: { a: { degrade: [cached_answer, refine] } }'))
  })
})
