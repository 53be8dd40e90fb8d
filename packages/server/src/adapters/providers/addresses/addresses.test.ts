// Every form of every address, as the vendors document them.

import { describe, expect, test } from 'vitest'
import type { CallerWire, ProviderConfig, Wire } from '../../../core/release/release.js'
import type { Asked } from './address.js'
import { addressOf, type HttpProviderConfig } from './address-of.js'

const COMMON = {
  name: 'p',
  hosting: 'hosted',
  region: null,
  retentionDays: null,
  trainsOnData: null,
  timeoutMs: 1_000,
  headers: {},
} as const

const OPENAI = { ...COMMON, kind: 'openai', apiKey: 'k', baseUrl: 'https://api.openai.com/v1' } as const
const COMPATIBLE = { ...OPENAI, kind: 'openai-compatible', baseUrl: 'http://10.0.0.4:8000/v1' } as const
const ANTHROPIC = { ...COMMON, kind: 'anthropic', apiKey: 'k', baseUrl: 'https://api.anthropic.com' } as const
const GEMINI = {
  ...COMMON,
  kind: 'gemini',
  apiKey: 'k',
  baseUrl: 'https://generativelanguage.googleapis.com',
} as const
const azure = (baseUrl: string, apiVersion = '2024-10-21') =>
  ({ ...COMMON, kind: 'azure', baseUrl, apiVersion, access: { from: 'key', apiKey: 'k' } }) as const
const bedrock = (region: string, baseUrl: string | null = null) =>
  ({ ...COMMON, kind: 'bedrock', region, baseUrl, access: { from: 'chain' } }) as const
const vertex = (region: string, baseUrl: string | null = null) =>
  ({ ...COMMON, kind: 'vertex', project: 'my-project', region, baseUrl, access: { from: 'chain' } }) as const

function urlOf(config: HttpProviderConfig, asked: Partial<Asked> & { readonly wire: Wire }): string {
  const address = addressOf(config)
  return address.base.origin + address.pathOf({ model: 'm', stream: false, ...asked })
}

type Case = readonly [HttpProviderConfig, Partial<Asked> & { readonly wire: Wire }, string]

const RESOURCE = 'https://r.openai.azure.com'
const VERTEX_US = 'https://us-central1-aiplatform.googleapis.com/v1/projects/my-project/locations/us-central1'
const BEDROCK_US = 'https://bedrock-runtime.us-east-1.amazonaws.com'
const ARN = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0'

describe('paths', () => {
  test.each<Case>([
    [OPENAI, { wire: 'openai-chat' }, 'https://api.openai.com/v1/chat/completions'],
    [OPENAI, { wire: 'openai-responses', stream: true }, 'https://api.openai.com/v1/responses'],
    [OPENAI, { wire: 'openai-embeddings' }, 'https://api.openai.com/v1/embeddings'],
    [COMPATIBLE, { wire: 'openai-chat' }, 'http://10.0.0.4:8000/v1/chat/completions'],
  ])('%o asked %o is %s', (config, asked, url) => {
    expect(urlOf(config, asked)).toBe(url)
  })

  test.each<Case>([
    [ANTHROPIC, { wire: 'anthropic-messages', stream: true }, 'https://api.anthropic.com/v1/messages'],
    [
      ANTHROPIC,
      { wire: 'anthropic-messages', countTokens: true },
      'https://api.anthropic.com/v1/messages/count_tokens',
    ],
  ])('%o asked %o is %s', (config, asked, url) => {
    expect(urlOf(config, asked)).toBe(url)
  })

  const DATED = `${RESOURCE}/openai/deployments`
  test.each<Case>([
    [
      azure(RESOURCE),
      { wire: 'openai-chat', model: 'gpt 4o' },
      `${DATED}/gpt%204o/chat/completions?api-version=2024-10-21`,
    ],
    [
      azure(`${RESOURCE}/openai`, '2025-01-01-preview'),
      { wire: 'openai-embeddings' },
      `${DATED}/m/embeddings?api-version=2025-01-01-preview`,
    ],
    [azure(RESOURCE, 'v1'), { wire: 'openai-chat' }, `${RESOURCE}/openai/v1/chat/completions`],
    [azure(`${RESOURCE}/openai/v1`), { wire: 'openai-responses' }, `${RESOURCE}/openai/v1/responses`],
    [
      azure(RESOURCE, 'preview'),
      { wire: 'openai-embeddings' },
      `${RESOURCE}/openai/v1/embeddings?api-version=preview`,
    ],
    [
      azure('https://gateway.example/azure/openai/v1/', 'v1'),
      { wire: 'openai-chat' },
      'https://gateway.example/azure/openai/v1/chat/completions',
    ],
  ])('azure: %o asked %o is %s', (config, asked, url) => {
    expect(urlOf(config, asked)).toBe(url)
  })

  test.each<Case>([
    [
      bedrock('us-east-1'),
      { wire: 'bedrock-converse', model: 'amazon.nova-lite-v1:0' },
      `${BEDROCK_US}/model/amazon.nova-lite-v1%3A0/converse`,
    ],
    [
      bedrock('us-east-1'),
      { wire: 'bedrock-converse', model: ARN, stream: true },
      `${BEDROCK_US}/model/${ARN.replaceAll(':', '%3A').replaceAll('/', '%2F')}/converse-stream`,
    ],
    [
      bedrock('us-east-1'),
      { wire: 'bedrock-converse', model: 'us.anthropic.claude-sonnet-4-20250514-v1:0', countTokens: true },
      `${BEDROCK_US}/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/count-tokens`,
    ],
    [
      bedrock('eu-west-1'),
      { wire: 'bedrock-embeddings', model: 'amazon.titan-embed-text-v2:0' },
      'https://bedrock-runtime.eu-west-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke',
    ],
    [
      bedrock('us-gov-west-1'),
      { wire: 'bedrock-converse' },
      'https://bedrock-runtime.us-gov-west-1.amazonaws.com/model/m/converse',
    ],
    [
      bedrock('cn-north-1'),
      { wire: 'bedrock-converse' },
      'https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse',
    ],
    [
      bedrock('us-east-1', 'https://vpce-1.example/prefix'),
      { wire: 'bedrock-converse' },
      'https://vpce-1.example/prefix/model/m/converse',
    ],
  ])('bedrock: %o asked %o is %s', (config, asked, url) => {
    expect(urlOf(config, asked)).toBe(url)
  })

  const STUDIO = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash'
  test.each<Case>([
    [GEMINI, { wire: 'gemini', model: 'gemini-2.5-flash' }, `${STUDIO}:generateContent`],
    [
      GEMINI,
      { wire: 'gemini', model: 'models/gemini-2.5-flash', stream: true },
      `${STUDIO}:streamGenerateContent?alt=sse`,
    ],
    [GEMINI, { wire: 'gemini', model: 'gemini-2.5-flash', countTokens: true }, `${STUDIO}:countTokens`],
    [GEMINI, { wire: 'gemini-embeddings', model: 'gemini-2.5-flash' }, `${STUDIO}:batchEmbedContents`],
    [
      GEMINI,
      { wire: 'gemini', model: 'tunedModels/our one' },
      'https://generativelanguage.googleapis.com/v1beta/tunedModels/our%20one:generateContent',
    ],
  ])('gemini: %o asked %o is %s', (config, asked, url) => {
    expect(urlOf(config, asked)).toBe(url)
  })

  const GOOGLE = `${VERTEX_US}/publishers/google/models`
  const CLAUDE = `${VERTEX_US}/publishers/anthropic/models`
  const US = vertex('us-central1')
  test.each<Case>([
    [US, { wire: 'gemini' }, `${GOOGLE}/m:generateContent`],
    [US, { wire: 'gemini', stream: true }, `${GOOGLE}/m:streamGenerateContent?alt=sse`],
    [US, { wire: 'gemini', countTokens: true }, `${GOOGLE}/m:countTokens`],
    [US, { wire: 'vertex-embeddings' }, `${GOOGLE}/m:predict`],
    [US, { wire: 'gemini', model: 'endpoints/123' }, `${VERTEX_US}/endpoints/123:generateContent`],
    [
      US,
      { wire: 'anthropic-messages', model: 'claude-sonnet-4@20250514' },
      `${CLAUDE}/claude-sonnet-4%4020250514:rawPredict`,
    ],
    [
      US,
      { wire: 'anthropic-messages', model: 'claude-sonnet-4@20250514', stream: true },
      `${CLAUDE}/claude-sonnet-4%4020250514:streamRawPredict`,
    ],
    [
      US,
      { wire: 'anthropic-messages', model: 'claude-sonnet-4@20250514', countTokens: true },
      `${CLAUDE}/count-tokens:rawPredict`,
    ],
    [
      vertex('global'),
      { wire: 'gemini' },
      'https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/publishers/google/models/m:generateContent',
    ],
    [
      vertex('eu'),
      { wire: 'gemini' },
      'https://aiplatform.eu.rep.googleapis.com/v1/projects/my-project/locations/eu/publishers/google/models/m:generateContent',
    ],
    [
      vertex('us-central1', 'http://127.0.0.1:9/x/'),
      { wire: 'gemini' },
      'http://127.0.0.1:9/x/v1/projects/my-project/locations/us-central1/publishers/google/models/m:generateContent',
    ],
  ])('vertex: %o asked %o is %s', (config, asked, url) => {
    expect(urlOf(config, asked)).toBe(url)
  })

  test('a call in a format that is not spoken here goes nowhere', () => {
    const asked: readonly (readonly [HttpProviderConfig, Wire])[] = [
      [OPENAI, 'gemini'],
      [ANTHROPIC, 'openai-chat'],
      [azure(RESOURCE), 'openai-responses'],
      [azure(RESOURCE, 'v1'), 'gemini'],
      [bedrock('us-east-1'), 'openai-chat'],
      [GEMINI, 'openai-chat'],
      [US, 'bedrock-converse'],
    ]
    for (const [config, wire] of asked) expect(() => urlOf(config, { wire })).toThrow(/is not asked in/)
  })

  test.each(['../../admin', 'a?b#c', 'a b', 'é', "!'()*"])(
    'the model %j stays one segment of the path',
    (model) => {
      const configs = [azure(RESOURCE), bedrock('us-east-1')] as const
      const wires = ['openai-chat', 'bedrock-converse'] as const
      configs.forEach((config, at) => {
        const url = new URL(urlOf(config, { wire: wires[at] ?? 'openai-chat', model }))
        expect(url.pathname.split('/')).toHaveLength(at === 0 ? 6 : 4)
        expect(url.hash).toBe('')
      })
    },
  )
})

describe('formats', () => {
  const CALLERS: readonly CallerWire[] = [
    'openai-chat',
    'openai-responses',
    'anthropic-messages',
    'openai-embeddings',
  ]
  const spoken = (config: ProviderConfig, model = 'm'): readonly (Wire | null)[] =>
    config.kind === 'simulated' || config.kind === 'on-device'
      ? []
      : CALLERS.map((wire) => addressOf(config).speaks(wire, model))

  test.each<[string, HttpProviderConfig, string, readonly (Wire | null)[]]>([
    ['openai', OPENAI, 'm', ['openai-chat', 'openai-responses', 'openai-chat', 'openai-embeddings']],
    ['a server like it', COMPATIBLE, 'm', ['openai-chat', 'openai-chat', 'openai-chat', 'openai-embeddings']],
    ['anthropic', ANTHROPIC, 'm', ['anthropic-messages', 'anthropic-messages', 'anthropic-messages', null]],
    [
      'azure, dated',
      azure(RESOURCE),
      'm',
      ['openai-chat', 'openai-chat', 'openai-chat', 'openai-embeddings'],
    ],
    [
      'azure, v1',
      azure(RESOURCE, 'v1'),
      'm',
      ['openai-chat', 'openai-responses', 'openai-chat', 'openai-embeddings'],
    ],
    [
      'bedrock',
      bedrock('us-east-1'),
      'm',
      ['bedrock-converse', 'bedrock-converse', 'bedrock-converse', 'bedrock-embeddings'],
    ],
    ['gemini', GEMINI, 'm', ['gemini', 'gemini', 'gemini', 'gemini-embeddings']],
    ['vertex', vertex('global'), 'gemini-2.5-pro', ['gemini', 'gemini', 'gemini', 'vertex-embeddings']],
    [
      'claude on vertex',
      vertex('global'),
      'claude-opus-4-1@20250805',
      ['anthropic-messages', 'anthropic-messages', 'anthropic-messages', null],
    ],
    [
      'claude on vertex by its full name',
      vertex('global'),
      'publishers/anthropic/models/claude-haiku-4-5',
      ['anthropic-messages', 'anthropic-messages', 'anthropic-messages', null],
    ],
  ])('%s', (_, config, model, expected) => {
    expect(spoken(config, model)).toEqual(expected)
  })

  test('whatever is spoken has a path', () => {
    const configs = [
      OPENAI,
      COMPATIBLE,
      ANTHROPIC,
      azure(RESOURCE),
      azure(RESOURCE, 'v1'),
      bedrock('us-east-1'),
    ]
    const urls = [...configs, GEMINI, vertex('global')].flatMap((config) =>
      spoken(config).flatMap((wire) => (wire === null ? [] : [urlOf(config, { wire })])),
    )
    expect(urls).toHaveLength(31)
  })
})
