import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../config/load-config.js'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import { createAuthenticator } from './authenticate.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function authenticatorOf(text: string) {
  const parsed = parseConfig({ text, file: 'spillway.yaml', env: {}, prices: createGenaiPrices(0), sha256 })
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems))
  return createAuthenticator(parsed.value, sha256)
}

const OPEN = 'server: { allowed_origins: ["https://app.example"] }\n'

describe('without tenants', () => {
  test.each([
    ['a program on this machine', { host: '127.0.0.1:4100' }, '127.0.0.1'],
    ['the same over IPv6', { host: '[::1]:4100' }, '::1'],
    ['a name of loopback', { host: 'localhost:4100' }, '::ffff:127.0.0.1'],
    [
      'a page that this machine serves',
      { host: 'localhost:4100', origin: 'http://localhost:3000' },
      '127.0.0.1',
    ],
    [
      'a page whose origin is allowed',
      { host: 'localhost:4100', origin: 'https://app.example' },
      '127.0.0.1',
    ],
  ])('%s is the tenant `local`', (_, headers, address) => {
    expect(authenticatorOf(OPEN).authenticate(headers, address)).toMatchObject({ name: 'local' })
  })

  test.each([
    ['another machine', { host: '10.0.0.7:4100' }, '10.0.0.9'],
    ['a page of anywhere', { host: '127.0.0.1:4100', origin: 'https://evil.example' }, '127.0.0.1'],
    ['a sandboxed page', { host: '127.0.0.1:4100', origin: 'null' }, '127.0.0.1'],
    ['a name made to resolve to loopback', { host: 'rebound.example:4100' }, '127.0.0.1'],
    ['a name that only begins like loopback', { host: '127.0.0.1.evil.example' }, '127.0.0.1'],
    ['a proxy that serves others', { host: 'localhost', 'x-forwarded-for': '203.0.113.9' }, '127.0.0.1'],
    ['a connection without an address', { host: 'localhost' }, undefined],
  ])('%s is turned away', (_, headers, address) => {
    expect(authenticatorOf(OPEN).authenticate(headers, address)).toMatchObject({ code: 'auth.missing' })
  })
})

describe('with tenants', () => {
  const authenticator = authenticatorOf('tenants: { acme: { keys: [secret-key] } }\n')

  test.each([
    [{ authorization: 'Bearer secret-key' }],
    [{ authorization: 'bearer  secret-key' }],
    [{ 'x-api-key': 'secret-key' }],
    [{ 'x-goog-api-key': 'secret-key' }],
  ])('a key says who calls, from wherever: %o', (headers) => {
    expect(authenticator.authenticate(headers, '203.0.113.9')).toMatchObject({ name: 'acme' })
  })

  test('no key and a wrong key are different refusals, on this machine too', () => {
    expect(authenticator.authenticate({}, '127.0.0.1')).toMatchObject({ code: 'auth.missing' })
    expect(authenticator.authenticate({ 'x-api-key': 'secret-kez' }, '127.0.0.1')).toMatchObject({
      code: 'auth.unknown',
    })
  })
})
