// The clouds' own libraries, pointed at servers of our own by the variables they read where they run: a
// container on AWS, a machine on Google Cloud, an app on Azure.

import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLiveSystem } from '../../system/live-system.js'
import { awsCredentials } from './aws-credentials.js'
import type { Credentials } from './credentials.js'
import { entraCredentials } from './entra-credentials.js'
import { googleCredentials } from './google-credentials.js'

const system = createLiveSystem()
const cleanups: (() => unknown)[] = []

beforeEach(async () => {
  // Nothing of the machine's own settings: no home, no variable that names a credential.
  const home = await mkdtemp(join(tmpdir(), 'spillway-chains-'))
  cleanups.push(() => rm(home, { recursive: true }))
  for (const name of Object.keys(process.env))
    if (/^(?:AWS|GOOGLE|GCLOUD|GCE|CLOUDSDK|AZURE|IDENTITY|MSI)_/.test(name)) vi.stubEnv(name, undefined)
  for (const name of ['HOME', 'USERPROFILE', 'APPDATA']) vi.stubEnv(name, home)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Reply {
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** Answers every path that is asked as `answers` says, anything else 404. */
async function metadata(answers: (path: string) => Reply | null) {
  const paths: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    paths.push(path)
    const reply = answers(path)
    if (reply === null) return response.writeHead(404).end('{}')
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
    return response.writeHead(200, { 'content-type': 'application/json', ...reply.headers }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, paths }
}

async function first<T>(credentials: Credentials<T>): Promise<T | null> {
  cleanups.push(() => credentials.close())
  await credentials.ready()
  return credentials.current()
}

test('AWS: the keys of a container', async () => {
  const { host, paths } = await metadata(() => ({
    body: {
      AccessKeyId: 'ASIACONTAINER',
      SecretAccessKey: 'secret',
      Token: 'session',
      Expiration: new Date(system.nowMs() + 3_600_000).toISOString(),
    },
  }))
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://${host}/creds`)
  const credentials = awsCredentials({ from: 'chain' }, { system, region: 'eu-west-1' })
  expect(await first(credentials)).toEqual({
    accessKeyId: 'ASIACONTAINER',
    secretAccessKey: 'secret',
    sessionToken: 'session',
  })
  // A refused one is really fetched anew: nothing answers from memory.
  credentials.refused(system.nowMs())
  await credentials.ready()
  expect(paths).toEqual(['/creds', '/creds'])
})

test('Google: the token of the machine', async () => {
  const { host, paths } = await metadata((path) => {
    const headers = { 'metadata-flavor': 'Google' }
    if (path.includes('/token'))
      return { headers, body: { access_token: 'ya29.machine', expires_in: 3599, token_type: 'Bearer' } }
    return path.startsWith('/computeMetadata') ? { headers, body: '"x"' } : null
  })
  vi.stubEnv('GCE_METADATA_HOST', host)
  vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present')
  const credentials = googleCredentials({ from: 'chain' }, { system })
  expect(await first(credentials)).toBe('ya29.machine')
  credentials.refused(system.nowMs())
  await credentials.ready()
  expect(paths.filter((path) => path.includes('/token'))).toHaveLength(2)
})

test('Azure: the managed identity of an app', async () => {
  const { host, paths } = await metadata(() => ({
    body: {
      access_token: 'eyJ.managed',
      expires_on: String(Math.floor(system.nowMs() / 1000) + 86_400),
      resource: 'https://cognitiveservices.azure.com',
      token_type: 'Bearer',
    },
  }))
  vi.stubEnv('IDENTITY_ENDPOINT', `http://${host}/msi/token`)
  vi.stubEnv('IDENTITY_HEADER', 'header')
  const credentials = entraCredentials({ from: 'chain' }, { system })
  expect(await first(credentials)).toBe('eyJ.managed')
  expect(paths[0]).toContain('cognitiveservices.azure.com')
})
