// Calls and their credentials, over real connections: what goes out, who waits, and what a refusal changes.

import { type IncomingHttpHeaders, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { ProviderConfig } from '../../core/release/release.js'
import type { Provider } from '../../engine/ports.js'
import { RecordingListener, upstreamRequest } from '../../testing/recording-listener.js'
import { createLiveSystem } from '../system/live-system.js'
import type { HttpProviderConfig } from './addresses/address-of.js'
import type { Authorizer } from './auth/authorizer.js'
import { awsSignature } from './auth/aws-signature.js'
import { bearer } from './auth/bearer.js'
import { CredentialError } from './auth/credential-error.js'
import { type Fetched, fixedCredentials, RefreshedCredentials } from './auth/credentials.js'
import { createHttpProvider } from './http-provider.js'

const live = createLiveSystem()
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Seen {
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

async function upstream(reply: (seen: Seen) => Reply = () => ({ status: 200 })) {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      const entry = { url: request.url ?? '', headers: request.headers, body }
      seen.push(entry)
      const { status, headers = {} } = reply(entry)
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const COMMON = {
  name: 'p',
  hosting: 'serverless',
  region: null,
  retentionDays: null,
  trainsOnData: null,
  timeoutMs: 20_000,
  headers: {},
} as const

type Kind<K extends ProviderConfig['kind']> = Extract<ProviderConfig, { readonly kind: K }>

const KEYS = { from: 'keys', accessKeyId: 'AKID', secretAccessKey: 'shh', sessionToken: 'session' } as const
const bedrock = (baseUrl: string, access: Kind<'bedrock'>['access'] = KEYS): HttpProviderConfig => ({
  ...COMMON,
  kind: 'bedrock',
  region: 'us-east-1',
  baseUrl,
  access,
})
const vertex = (baseUrl: string): HttpProviderConfig => ({
  ...COMMON,
  kind: 'vertex',
  project: 'p',
  region: 'global',
  baseUrl,
  access: { from: 'chain' },
})

function provider(config: HttpProviderConfig, authorizer?: Authorizer): Provider {
  const options = authorizer === undefined ? {} : { authorizerOf: () => authorizer }
  const made = createHttpProvider(config, { system: live, ...options })
  cleanups.push(() => made.close())
  return made
}

async function call(to: Provider, request = upstreamRequest({}, { wire: 'gemini', model: 'g' })) {
  const listener = new RecordingListener()
  to.send(request, listener)
  await listener.done
  return listener
}

const converse = upstreamRequest('{"é":1}', { wire: 'bedrock-converse', model: 'amazon.nova-lite-v1:0' })

describe('keys', () => {
  test.each<[string, HttpProviderConfig['kind'], Record<string, string>, 'openai-chat' | 'gemini']>([
    ['gemini', 'gemini', { 'x-goog-api-key': 'secret' }, 'gemini'],
    ['azure', 'azure', { 'api-key': 'secret' }, 'openai-chat'],
    ['vertex with a token', 'vertex', { authorization: 'Bearer secret' }, 'gemini'],
  ])('of %s go where that kind looks for them, and nowhere else', async (_, kind, headers, wire) => {
    const { url, seen } = await upstream()
    const configs: Partial<Record<HttpProviderConfig['kind'], HttpProviderConfig>> = {
      gemini: { ...COMMON, kind: 'gemini', apiKey: 'secret', baseUrl: url },
      azure: {
        ...COMMON,
        kind: 'azure',
        baseUrl: url,
        apiVersion: 'v1',
        access: { from: 'key', apiKey: 'secret' },
      },
      vertex: {
        ...COMMON,
        kind: 'vertex',
        project: 'p',
        region: 'global',
        baseUrl: url,
        access: { from: 'token', accessToken: 'secret' },
      },
    }
    const config = configs[kind]
    if (config === undefined) throw new Error(kind)
    // What a caller sends for its own key never goes on.
    const theirs = { authorization: 'Bearer theirs', 'x-goog-api-key': 'theirs', 'api-key': 'theirs' }
    const [name = ''] = Object.keys(headers)
    await call(provider(config), upstreamRequest({}, { wire, headers: { [name]: theirs.authorization } }))
    expect(seen[0]?.headers).toMatchObject(headers)
    expect(JSON.stringify([seen[0]?.url, seen[0]?.headers])).not.toContain('theirs')
    expect(seen[0]?.url).not.toContain('secret')
  })
})

test('a configured header beats the one that is made for the call: there are never two', async () => {
  const { url, seen } = await upstream()
  const config = { ...vertex(url), headers: { Authorization: 'Bearer ours' } }
  const listener = await call(provider(config, bearer(fixedCredentials('made'))))
  expect(listener.status).toBe(200)
  expect(seen[0]?.headers.authorization).toBe('Bearer ours')
})

describe('signed calls', () => {
  test('carry signature, date and the token of the session; the body goes out as it is', async () => {
    const { url, seen } = await upstream()
    const listener = await call(provider(bedrock(url)), converse)
    expect(listener.status).toBe(200)
    expect(seen[0]?.url).toBe('/model/amazon.nova-lite-v1%3A0/converse')
    expect(seen[0]?.body).toBe('{"é":1}')
    expect(seen[0]?.headers).toMatchObject({
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
      ) as string,
      'x-amz-date': expect.stringMatching(/^\d{8}T\d{6}Z$/) as string,
      'x-amz-security-token': 'session',
    })
    expect(JSON.stringify(seen[0]?.headers)).not.toContain('shh')
  })

  test('a clock that is far off is corrected by the first refusal', async () => {
    const realMs = Date.UTC(2026, 10, 24, 12)
    const fastMs = realMs + 3_600_000
    const { url, seen } = await upstream(({ headers }) =>
      String(headers['x-amz-date']).startsWith('20261124T12')
        ? { status: 200 }
        : {
            status: 403,
            headers: {
              date: new Date(realMs).toUTCString(),
              'x-amzn-errortype': 'InvalidSignatureException',
            },
          },
    )
    const signature = awsSignature(fixedCredentials(KEYS), {
      service: 'bedrock',
      region: 'us-east-1',
      host: new URL(url).host,
      headers: {},
      system: { nowMs: () => fastMs },
    })
    const to = provider(bedrock(url), signature)
    expect((await call(to, converse)).status).toBe(403)
    expect((await call(to, converse)).status).toBe(200)
    expect((await call(to, converse)).status).toBe(200)
    expect(seen.map(({ headers }) => headers['x-amz-date'])).toEqual([
      '20261124T130000Z',
      '20261124T120000Z',
      '20261124T120000Z',
    ])
  })

  test.each([
    [403, { 'x-amzn-errortype': 'ExpiredTokenException:http://internal.amazon.com/' }, 1],
    [403, { 'x-amzn-errortype': 'UnrecognizedClientException' }, 1],
    [401, {}, 1],
    [403, { 'x-amzn-errortype': 'AccessDeniedException' }, 0],
    [400, { 'x-amzn-errortype': 'ExpiredTokenException' }, 1],
    [400, {}, 0],
  ] as const)('after a %i with %j keys are renewed %i times', async (status, headers, times) => {
    let refused = 0
    const signature = awsSignature(
      { ...fixedCredentials(KEYS), refused: () => ++refused > 0 },
      { service: 'bedrock', region: 'r', host: 'h', headers: {}, system: live },
    )
    const date = new Date(live.nowMs()).toUTCString()
    expect(signature.onHead(status, { date, ...headers }, live.nowMs())).toBe(times > 0)
    expect(refused).toBe(times)
  })
})

describe('tokens', () => {
  interface Open {
    readonly resolve: (fetched: Fetched<string>) => void
    readonly reject: (error: Error) => void
  }

  /** Tokens whose source answers when the test says so. */
  function tokens() {
    const open: Open[] = []
    const fetch = () => new Promise<Fetched<string>>((resolve, reject) => open.push({ resolve, reject }))
    const credentials = new RefreshedCredentials(fetch, live)
    const asked = async (): Promise<Open> => {
      for (;;) {
        const next = open.shift()
        if (next !== undefined) return next
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const give = async (value: string) =>
      (await asked()).resolve({ value, expiresAtMs: live.nowMs() + 3_600_000 })
    return { credentials, give, asked, open }
  }

  test('the first calls wait for one fetch, the next ones for nothing', async () => {
    const { url, seen } = await upstream()
    const { credentials, give, open } = tokens()
    const to = provider(vertex(url), bearer(credentials))
    const waiting = Promise.all([call(to), call(to), call(to)])
    await give('one')
    await waiting
    expect(open).toHaveLength(0)
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer one',
      'Bearer one',
    ])
    expect((await call(to)).status).toBe(200)
  })

  test('a 401 gets a new one before the next call', async () => {
    const { url, seen } = await upstream(({ headers }) => ({
      status: headers.authorization === 'Bearer two' ? 200 : 401,
    }))
    const { credentials, give } = tokens()
    const to = provider(vertex(url), bearer(credentials))
    const first = call(to)
    await give('one')
    expect((await first).status).toBe(401)
    const second = call(to)
    await give('two')
    expect((await second).status).toBe(200)
    expect(seen).toHaveLength(2)
  })

  test('wrong credentials fail the call as such, without a word of them, and nothing is sent', async () => {
    const { url, seen } = await upstream()
    const { credentials, asked } = tokens()
    const listener = new RecordingListener()
    provider(vertex(url), bearer(credentials)).send(
      upstreamRequest({}, { wire: 'gemini', model: 'g' }),
      listener,
    )
    expect(listener.calls).toEqual([])
    const { reject } = await asked()
    reject(new CredentialError('the service account gave no token: invalid_grant', { isFinal: true }))
    await listener.done
    expect(listener.ending).toMatch(
      /^credentials: the service account gave no token: invalid_grant \(127\.0\.0\.1:\d+\)$/,
    )
    expect(seen).toHaveLength(0)
  })

  test('a source that cannot be reached is a failed connection', async () => {
    const { url } = await upstream()
    const { credentials, asked } = tokens()
    const ending = call(provider(vertex(url), bearer(credentials)))
    const { reject } = await asked()
    reject(new CredentialError('no answer within 30000 ms'))
    expect((await ending).ending).toMatch(/^connection: no answer within 30000 ms/)
  })

  test('the wait is bounded by the time for the head', async () => {
    const { url, seen } = await upstream()
    const { credentials, give } = tokens()
    const to = provider(vertex(url), bearer(credentials))
    const listener = await call(to, upstreamRequest({}, { wire: 'gemini', model: 'g', headTimeoutMs: 20 }))
    expect(listener.ending).toMatch(/^timeout: no response head within 20 ms/)
    // The token comes all the same, for the next call; the one that gave up is not sent.
    await give('one')
    expect((await call(to)).status).toBe(200)
    expect(seen).toHaveLength(1)
  })

  test('a call that is aborted while it waits is never sent and never heard of', async () => {
    const { url, seen } = await upstream()
    const { credentials, give } = tokens()
    const to = provider(vertex(url), bearer(credentials))
    const listener = new RecordingListener()
    const aborted = to.send(upstreamRequest({}, { wire: 'gemini', model: 'g' }), listener)
    aborted.abort()
    await give('one')
    expect((await call(to)).status).toBe(200)
    expect(seen).toHaveLength(1)
    expect(listener.calls).toEqual([])
  })
})
