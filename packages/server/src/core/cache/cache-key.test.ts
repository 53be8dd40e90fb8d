import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CacheKeyParts, IGNORED_FIELDS, cacheKeyText } from './cache-key.js'

const request = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], tools: [], temperature: 0 }
const parts: CacheKeyParts = { tenant: 'acme', contract: 'support_reply', wire: 'openai-chat', request }

describe('cacheKeyText', () => {
  test('delivery, billing and attribution do not make another request', () => {
    for (const field of IGNORED_FIELDS) {
      expect(cacheKeyText({ ...parts, request: { [field]: 'x', ...request } })).toBe(cacheKeyText(parts))
    }
  })

  test.each<[string, Partial<CacheKeyParts>]>([
    ['tenant', { tenant: 'other' }],
    ['contract', { contract: 'other' }],
    ['wire', { wire: 'anthropic-messages' }],
    [
      'system prompt',
      { request: { ...request, messages: [{ role: 'system', content: 'x' }, ...request.messages] } },
    ],
    ['tool', { request: { ...request, tools: [{ name: 't' }] } }],
    ['temperature', { request: { ...request, temperature: 1 } }],
    ['unknown field', { request: { ...request, something_new: 1 } }],
  ])('another %s is another key', (_, change) => {
    expect(cacheKeyText({ ...parts, ...change })).not.toBe(cacheKeyText(parts))
  })

  test('only top-level fields are ignored', () => {
    const inner = { ...request, messages: [{ role: 'user', content: 'Hi', user: 'x' }] }
    expect(cacheKeyText({ ...parts, request: inner })).not.toBe(cacheKeyText(parts))
  })

  test('parts cannot run into each other', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.string(),
        fc.string(),
        (tenant, contract, tenant2, contract2) => {
          const same = tenant === tenant2 && contract === contract2
          const first = cacheKeyText({ ...parts, tenant, contract })
          expect(cacheKeyText({ ...parts, tenant: tenant2, contract: contract2 }) === first).toBe(same)
        },
      ),
    )
  })
})
