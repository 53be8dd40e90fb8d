import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const load = (text: string) =>
  parseConfig({ text, file: 'f.yaml', env: {}, prices, sha256: (value) => `<${value.length}>` })

const released = (text: string) => {
  const loaded = load(text)
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(({ message }) => message).join('; '))
  return loaded.value
}
const problems = (text: string) => {
  const loaded = load(text)
  return loaded.kind === 'invalid' ? loaded.problems.map(({ message }) => message) : []
}

describe('alerts', () => {
  test('are told to nobody by default', () => {
    expect(released('').alerts).toEqual([])
  })

  test('have an address, and a secret and a choice of events if wanted', () => {
    const { alerts } = released(
      'alerts: { webhooks: [{ url: "https://h/x", secret: s, events: [breaker] }, { url: "http://h" }] }',
    )
    expect(alerts).toEqual([
      { url: 'https://h/x', secret: 's', events: ['breaker'] },
      { url: 'http://h', secret: null, events: [] },
    ])
  })

  test('say what is wrong with them, and never show the secret', () => {
    expect(problems('alerts: { webhooks: [{ url: nope }] }')).toEqual([
      'must be an address such as `https://host/v1`',
    ])
    expect(problems('alerts: { webhooks: [{ url: "http://h", events: [breakers] }] }')[0]).toContain(
      '`breaker`',
    )
    expect(problems('alerts: { webhoks: [] }')[0]).toContain('`webhooks`')
    const many = Array.from({ length: 11 }, () => '{ url: "http://h" }').join(', ')
    expect(problems(`alerts: { webhooks: [${many}] }`)).toEqual(['has more than 10 webhooks'])
  })
})
