import { expect, test } from 'vitest'
import type { ProviderConfig } from './release.js'
import { secretsOf } from './secrets-of.js'

const COMMON = {
  name: 'p',
  hosting: 'serverless',
  region: null,
  retentionDays: null,
  trainsOnData: null,
  timeoutMs: 20_000,
  headers: { 'x-team-token': 'header-secret', 'x-team': 'north' },
} as const

const azure = { ...COMMON, kind: 'azure', baseUrl: 'http://a', apiVersion: 'v1' } as const
const vertex = { ...COMMON, kind: 'vertex', project: 'p', region: 'r', baseUrl: null } as const
const bedrock = { ...COMMON, kind: 'bedrock', region: 'r', baseUrl: null } as const

const CASES: readonly (readonly [ProviderConfig, readonly string[]])[] = [
  [{ ...COMMON, kind: 'openai', apiKey: 'k', baseUrl: 'http://o' }, ['k']],
  [{ ...COMMON, kind: 'openai-compatible', apiKey: null, baseUrl: 'http://o' }, []],
  [{ ...azure, access: { from: 'key', apiKey: 'k' } }, ['k']],
  [{ ...azure, access: { from: 'client', tenantId: 't', clientId: 'c', clientSecret: 's' } }, ['s']],
  [{ ...azure, access: { from: 'chain' } }, []],
  [{ ...vertex, access: { from: 'token', accessToken: 't' } }, ['t']],
  [{ ...vertex, access: { from: 'file', path: '/f' } }, []],
  [
    { ...bedrock, access: { from: 'keys', accessKeyId: 'i', secretAccessKey: 's', sessionToken: 't' } },
    ['s', 't', 'i'],
  ],
]

test.each(CASES)('%j has its secrets, and that of its headers', (config, secrets) => {
  expect(secretsOf(config)).toEqual([...secrets, 'header-secret'])
})
