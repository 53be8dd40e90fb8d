// R4: a token that ends, or that the vendor ends early, is renewed once for all the calls that run into it, and
// none of them fails: on Google's machines and in AWS's containers, through the vendors' own libraries.

import { afterEach, describe, expect, test } from 'vitest'
import { EVERY_WAY, type Told, askOnce } from './support/caller-formats.js'
import { type AnsweringVendor, answerOf } from './support/vendors/answer-bytes.js'
import {
  type Vendor,
  type VendorAnswer,
  type VendorCall,
  json,
  startVendor,
} from './support/vendors/front.js'
import { type Scripted, startScripted } from './support/vendors/scripted.js'
import { waitFor } from './support/wait-for.js'

const cleanups: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of cleanups.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

interface Cloud {
  readonly vendor: 'vertex' | 'bedrock'
  readonly answers: AnsweringVendor
  readonly finish: string
  readonly usage: object
  /** Environment of a server that runs there, given its metadata server. */
  readonly env: (url: string) => Readonly<Record<string, string>>
  /** What that answers with token number `n`; null: it does not know the path. */
  readonly issue: (path: string, n: number, seconds: number) => object | null
  /** The number of the token that a call came with. */
  readonly numberOf: (call: VendorCall) => number
  readonly refusal: VendorAnswer
}

const VERTEX: Cloud = {
  vendor: 'vertex',
  answers: 'gemini',
  finish: 'STOP',
  usage: { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 },
  env: (url) => ({
    GCE_METADATA_HOST: url.replace('http://', ''),
    METADATA_SERVER_DETECTION: 'assume-present',
  }),
  issue: (path, n, seconds) =>
    path.endsWith('/token')
      ? { access_token: `ya29.token-${n}`, expires_in: seconds, token_type: 'Bearer' }
      : null,
  numberOf: ({ headers }) => Number(/^Bearer ya29\.token-(\d+)$/.exec(headers.authorization ?? '')?.[1]),
  refusal: json(401, {
    error: {
      code: 401,
      message: 'Request had invalid authentication credentials.',
      status: 'UNAUTHENTICATED',
    },
  }),
}

const BEDROCK: Cloud = {
  vendor: 'bedrock',
  answers: 'bedrock',
  finish: 'end_turn',
  usage: { inputTokens: 10, outputTokens: 2, totalTokens: 12 },
  env: (url) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/creds` }),
  issue: (_, n, seconds) => ({
    AccessKeyId: `ASIATOKEN${n}`,
    SecretAccessKey: 'secret',
    Token: `session-${n}`,
    Expiration: new Date(Date.now() + seconds * 1000).toISOString(),
  }),
  numberOf: ({ headers }) => Number(/^session-(\d+)$/.exec(String(headers['x-amz-security-token']))?.[1]),
  refusal: json(
    403,
    { message: 'The security token included in the request is expired' },
    { 'x-amzn-errortype': 'ExpiredTokenException' },
  ),
}

interface Place {
  readonly vendors: Scripted
  readonly issued: () => number
  /** Tokens with a lower number are refused from now on. */
  readonly endBefore: (n: number) => void
}

async function startIn(cloud: Cloud, seconds: number): Promise<Place> {
  let issued = 0
  let first = 1
  const metadata: Vendor = await startVendor(({ path }) => {
    const token = cloud.issue(path, issued + 1, seconds)
    if (token !== null) issued += 1
    const headers = { 'metadata-flavor': 'Google' }
    return Promise.resolve(token === null ? json(200, 'x', headers) : json(200, token, headers))
  })
  cleanups.push(metadata)
  const answer = answerOf(cloud.answers, {
    words: ['Still ', 'here.'],
    finish: cloud.finish,
    usage: cloud.usage,
  })
  const script = (times: number, call: VendorCall) =>
    cloud.numberOf(call) >= first ? answer(times, call) : cloud.refusal
  const vendors = await startScripted([{ vendor: cloud.vendor, answer: script }], {
    env: cloud.env(metadata.url),
    chains: true,
  })
  cleanups.push(vendors)
  return { vendors, issued: () => issued, endBefore: (n) => (first = n) }
}

const endsOf = ({ trace }: Told) => trace.steps.flatMap(({ attempts }) => attempts.map(({ end }) => end))

describe.each([VERTEX, BEDROCK])('$vendor', (cloud) => {
  test('a token that is refused is renewed once, and every call that had it is answered', async () => {
    const { vendors, issued, endBefore } = await startIn(cloud, 3600)
    const [any] = EVERY_WAY
    if (any === undefined) throw new Error('there is no way to ask')
    const ask = (way = any) => askOnce(vendors, way, { contract: 'alone0' })
    expect(endsOf(await ask())).toEqual(['ok'])
    expect(issued()).toBe(1)
    endBefore(2)
    const all = await Promise.all(EVERY_WAY.map(ask))
    expect(all.map(({ answer }) => answer.status)).toEqual(EVERY_WAY.map(() => 200))
    expect(issued()).toBe(2)
    // The first to be refused has the token renewed; who comes later has the new one at once.
    expect(all.map(endsOf)).toContainEqual(['stale_credentials', 'ok'])
    const charged = all.map(({ trace }) => trace.steps[0]?.attempts.map(({ basis }) => basis).at(-1))
    expect(charged).toEqual(EVERY_WAY.map(() => 'reported'))
    expect(new Set(all.map(({ spentUsd, heldUsd }) => `${spentUsd} ${heldUsd}`)).size).toBe(1)
    endBefore(99)
    const last = await ask()
    // A token just renewed that is refused again: the vendor means something else, and says what.
    expect(last.answer.status).toBe(502)
    expect(last.text).toMatch(/invalid authentication credentials|security token included/)
    expect(issued()).toBe(2)
  })

  test('a token that lives for seconds is followed by others, and no call fails', async () => {
    const { vendors, issued } = await startIn(cloud, 3)
    const statuses: number[] = []
    const [way] = EVERY_WAY
    if (way === undefined) throw new Error('there is no way to ask')
    await waitFor('three tokens', async () => {
      statuses.push((await askOnce(vendors, way, { contract: 'alone0' })).answer.status)
      return issued() >= 3
    })
    expect(new Set(statuses)).toEqual(new Set([200]))
  })
})
