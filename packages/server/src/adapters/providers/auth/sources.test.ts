// Where credentials come from, with every source faked at its own border: no cloud, no machine's settings.

import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { awsCredentials, type FoundKeys } from './aws-credentials.js'
import { reasonOf, statusOf } from './credential-error.js'
import { entraCredentials, type EntraAccess, type TokenSource } from './entra-credentials.js'
import { googleCredentials } from './google-credentials.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
  vi.unstubAllEnvs()
})

const system = createFakeSystem()
const HOUR_MS = 3_600_000

function failure(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more })
}

describe('AWS', () => {
  const from = (chain: (region: string) => Promise<FoundKeys>) =>
    awsCredentials({ from: 'chain' }, { system, region: 'eu-west-1', chain })

  test('given keys are there at once', () => {
    const keys = { accessKeyId: 'AKID', secretAccessKey: 's', sessionToken: null }
    expect(awsCredentials({ from: 'keys', ...keys }, { system, region: 'r' }).current()).toEqual(keys)
  })

  test('the chain is asked for the region, and its keys end when it says so', async () => {
    const regions: string[] = []
    const clock = createFakeSystem()
    const expiration = new Date(clock.nowMs() + HOUR_MS)
    const credentials = awsCredentials(
      { from: 'chain' },
      {
        system: clock,
        region: 'eu-west-1',
        chain: (region) => {
          regions.push(region)
          return regions.length === 1
            ? Promise.resolve({ accessKeyId: 'ASIA', secretAccessKey: 's', sessionToken: 't', expiration })
            : Promise.reject(new Error('gone'))
        },
      },
    )
    await credentials.ready()
    expect(credentials.current()).toEqual({ accessKeyId: 'ASIA', secretAccessKey: 's', sessionToken: 't' })
    await clock.advance(HOUR_MS)
    expect(credentials.current()).toBeNull()
    expect(new Set(regions)).toEqual(new Set(['eu-west-1']))
    credentials.close()
  })

  test.each([
    [failure('CredentialsProviderError', 'Could not load credentials from any providers'), true],
    [failure('AccessDenied', 'not allowed', { $metadata: { httpStatusCode: 403 } }), true],
    [failure('Throttling', 'later', { $metadata: { httpStatusCode: 429 } }), false],
    [failure('TimeoutError', 'socket'), false],
  ])('%s is final: %s', async (said, isFinal) => {
    await expect(from(() => Promise.reject(said)).ready()).rejects.toMatchObject({
      message: `the default AWS chain gave no keys: ${said.message}`,
      isFinal,
    })
  })

  test('the real chain is found, and takes keys from the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDENV')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('AWS_SESSION_TOKEN', 'session')
    const credentials = awsCredentials({ from: 'chain' }, { system, region: 'eu-west-1' })
    await credentials.ready()
    expect(credentials.current()).toEqual({
      accessKeyId: 'AKIDENV',
      secretAccessKey: 'secret',
      sessionToken: 'session',
    })
  })
})

describe('Entra ID', () => {
  const CLIENT = { from: 'client', tenantId: 't', clientId: 'c', clientSecret: 'qX8~very-secret' } as const
  const from = (getToken: TokenSource['getToken'], access: EntraAccess = CLIENT) =>
    entraCredentials(access, { system, sourceOf: () => Promise.resolve({ getToken }) })

  test('a token is asked for Azure OpenAI and ends when it says so', async () => {
    const scopes: string[] = []
    const credentials = from((scope) => {
      scopes.push(scope)
      return Promise.resolve({ token: 'eyJ.x', expiresOnTimestamp: system.nowMs() + HOUR_MS })
    })
    await credentials.ready()
    expect(credentials.current()).toBe('eyJ.x')
    expect(scopes).toEqual(['https://cognitiveservices.azure.com/.default'])
    credentials.close()
  })

  test('a wrong secret is final, and is not in the reason', async () => {
    const said = `AADSTS7000215: Invalid client secret provided: '${CLIENT.clientSecret}'.\r\nTrace ID: 1`
    const error = failure('AuthenticationRequiredError', said, { statusCode: 401 })
    await expect(from(() => Promise.reject(error)).ready()).rejects.toMatchObject({
      message: "Entra ID gave no token: AADSTS7000215: Invalid client secret provided: '[redacted]'.",
      isFinal: true,
    })
  })

  test.each([
    [failure('CredentialUnavailableError', 'no managed identity'), true],
    [failure('AggregateAuthenticationError', 'ChainedTokenCredential failed\n- a\n- b'), true],
    [failure('RestError', 'ENOTFOUND login', { code: 'ENOTFOUND' }), false],
  ])('%s is final: %s', async (said, isFinal) => {
    const credentials = from(() => Promise.reject(said), { from: 'chain' })
    await expect(credentials.ready()).rejects.toMatchObject({
      isFinal,
      message: expect.stringContaining('the default Azure chain gave no token') as string,
    })
  })

  test('no token at all is a failure', async () => {
    await expect(from(() => Promise.resolve(null)).ready()).rejects.toThrow('no token came back')
  })
})

describe('Google', () => {
  async function keyFile(content: unknown): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'spillway-google-'))
    cleanups.push(() => rm(dir, { recursive: true }))
    const path = join(dir, 'key.json')
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ACCOUNT = {
    type: 'service_account',
    project_id: 'p',
    private_key_id: 'id',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'robot@p.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: 'https://oauth2.googleapis.com/token',
  }

  interface Seen {
    readonly url: string
    readonly body: string
  }

  function tokenServer(status: number, body: object) {
    const seen: Seen[] = []
    const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const url = input instanceof Request ? input.url : String(input)
      const sent = init?.body
      seen.push({ url, body: sent instanceof URLSearchParams ? sent.toString() : JSON.stringify(sent) })
      return Promise.resolve(Response.json(body, { status }))
    }
    return { seen, fetch }
  }

  test('a given token is there at once', () => {
    expect(googleCredentials({ from: 'token', accessToken: 'ya29.x' }, { system }).current()).toBe('ya29.x')
  })

  test('a service account signs for a token of its own', async () => {
    const { seen, fetch } = tokenServer(200, {
      access_token: 'ya29.fake',
      expires_in: 3600,
      token_type: 'Bearer',
    })
    const clock = createFakeSystem({ startMs: Date.now() })
    const credentials = googleCredentials(
      { from: 'file', path: await keyFile(ACCOUNT) },
      { system: clock, fetch },
    )
    await credentials.ready()
    expect(credentials.current()).toBe('ya29.fake')
    expect(seen).toHaveLength(1)
    expect(seen[0]?.url).toBe('https://oauth2.googleapis.com/token')
    const assertion = new URLSearchParams(seen[0]?.body).get('assertion') ?? ''
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as unknown
    expect(claims).toMatchObject({
      iss: ACCOUNT.client_email,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    })
    // Anew each time: another is fetched before the first has ended.
    await clock.advance(3_400_000)
    expect(seen.length).toBeGreaterThan(1)
    credentials.close()
  })

  test('an account that Google does not accept is final, and its key is not in the reason', async () => {
    const { fetch } = tokenServer(400, {
      error: 'invalid_grant',
      error_description: 'Invalid JWT Signature.',
    })
    const credentials = googleCredentials({ from: 'file', path: await keyFile(ACCOUNT) }, { system, fetch })
    const error: unknown = await credentials.ready().catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      message: 'the service account gave no token: invalid_grant: Invalid JWT Signature.',
      isFinal: true,
    })
  })

  test.each<[string, unknown]>([
    ['a broken file', '{"type":"service_account","private_key": "secret-in-file"'],
    ['a file without its key', { type: 'service_account', client_email: 'a@b' }],
  ])('%s is final and not shown', async (_, content) => {
    const { fetch } = tokenServer(500, {})
    const credentials = googleCredentials({ from: 'file', path: await keyFile(content) }, { system, fetch })
    const error: unknown = await credentials.ready().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ isFinal: true })
    expect(String(error)).not.toContain('secret-in-file')
  })

  test('a file that is not there is final', async () => {
    const credentials = googleCredentials({ from: 'file', path: '/nowhere/key.json' }, { system })
    await expect(credentials.ready()).rejects.toMatchObject({ isFinal: true })
  })

  test('the default chain takes what the environment names', async () => {
    const path = await keyFile({
      type: 'authorized_user',
      client_id: 'id',
      client_secret: 'shh',
      refresh_token: 'refresh',
    })
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', path)
    const { seen, fetch } = tokenServer(200, { access_token: 'ya29.user', expires_in: 3600 })
    const credentials = googleCredentials(
      { from: 'chain' },
      { system: createFakeSystem({ startMs: Date.now() }), fetch },
    )
    await credentials.ready()
    expect(credentials.current()).toBe('ya29.user')
    expect(seen[0]?.body).toContain('refresh')
    credentials.close()
  })
})

describe('reasons', () => {
  test('are one short line without anything that looks like a key', () => {
    expect(reasonOf(new Error('first\nsecond'))).toBe('first')
    expect(reasonOf(new Error(`x${' y'.repeat(400)}`)).length).toBeLessThanOrEqual(200)
    expect(reasonOf(new Error('key AKIAIOSFODNN7EXAMPLE is off'))).toBe('key [redacted] is off')
    expect(reasonOf(new Error('secret s3 is off'), ['s3', ''])).toBe('secret [redacted] is off')
    expect(reasonOf(new Error(''))).toBe('no reason given')
    expect(reasonOf('text')).toBe('text')
  })

  test('a status is found wherever libraries keep it', () => {
    const places = [
      { status: 401 },
      { statusCode: 401 },
      { response: { status: 401 } },
      { $metadata: { httpStatusCode: 401 } },
    ]
    expect(places.map(statusOf)).toEqual([401, 401, 401, 401])
    expect([null, 'x', {}, { status: 'ok' }, { response: null }].map(statusOf)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ])
  })
})
