// Signatures against the test suite that AWS publishes for SigV4 (`aws-sig-v4-test-suite`), and the two things
// that are Bedrock's own: a path that is encoded once more, and bytes that are signed as they are.

import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { loadSigner, type SignedRequest } from './sign-v4.js'

const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
}
const AT_MS = Date.UTC(2015, 7, 30, 12, 36, 0)
const EMPTY = new Uint8Array(0)
const GET: SignedRequest = {
  method: 'GET',
  host: 'example.amazonaws.com',
  path: '/',
  headers: {},
  body: EMPTY,
}
const POST: SignedRequest = { ...GET, method: 'POST' }
const TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='

async function signatureOf(request: SignedRequest, sessionToken: string | null = null): Promise<string> {
  const sign = await loadSigner({ service: 'service', region: 'us-east-1' })
  const added = await sign(request, { ...KEYS, sessionToken }, AT_MS)
  return /Signature=([0-9a-f]{64})$/.exec(added['authorization'] ?? '')?.[1] ?? 'none'
}

describe('the published vectors', () => {
  test.each<[string, SignedRequest, string | null, string]>([
    ['get-vanilla', GET, null, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    ['post-vanilla', POST, null, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'get-vanilla-query-order-key-case',
      { ...GET, path: '/?Param2=value2&Param1=value1' },
      null,
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    [
      'get-utf8',
      { ...GET, path: '/ሴ' },
      null,
      '8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85',
    ],
    [
      'get-unreserved',
      { ...GET, path: '/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' },
      null,
      '07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f',
    ],
    [
      'post-header-key-sort',
      { ...POST, headers: { 'my-header1': 'value1' } },
      null,
      'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
    ],
    [
      'post-x-www-form-urlencoded',
      {
        ...POST,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Buffer.from('Param1=value1'),
      },
      null,
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
    [
      'post-sts-header-before',
      POST,
      TOKEN,
      '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
    ],
  ])('%s', async (_, request, token, signature) => {
    expect(await signatureOf(request, token)).toBe(signature)
  })

  test('the whole header of get-vanilla', async () => {
    const sign = await loadSigner({ service: 'service', region: 'us-east-1' })
    expect(await sign(GET, KEYS, AT_MS)).toEqual({
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
        'SignedHeaders=host;x-amz-date, ' +
        'Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
      'x-amz-date': '20150830T123600Z',
    })
  })
})

describe('for Bedrock', () => {
  const hex = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')
  const hmac = (key: string | Uint8Array, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest()

  /** The specification, step by step, for one request. */
  function expected(path: string, body: Uint8Array): string {
    const canonical = [
      'POST',
      path,
      '',
      'content-type:application/json',
      'host:bedrock-runtime.us-east-1.amazonaws.com',
      'x-amz-date:20150830T123600Z',
      '',
      'content-type;host;x-amz-date',
      hex(body),
    ].join('\n')
    const scope = '20150830/us-east-1/bedrock/aws4_request'
    const toSign = ['AWS4-HMAC-SHA256', '20150830T123600Z', scope, hex(canonical)].join('\n')
    const parts = ['20150830', 'us-east-1', 'bedrock', 'aws4_request']
    const key = parts.reduce<Uint8Array>(
      (secret, part) => hmac(secret, part),
      Buffer.from(`AWS4${KEYS.secretAccessKey}`),
    )
    return hmac(key, toSign).toString('hex')
  }

  test.each([
    ['/model/amazon.nova-lite-v1%3A0/converse', '/model/amazon.nova-lite-v1%253A0/converse'],
    [
      '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream',
      '/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A1%253Ainference-profile%252Fx/converse-stream',
    ],
  ])('%s is signed as %s, over exactly the bytes', async (path, canonicalPath) => {
    const body = Buffer.from('{"messages":[{"role":"user","content":[{"text":"é 😀"}]}]}')
    const sign = await loadSigner({ service: 'bedrock', region: 'us-east-1' })
    const request = {
      method: 'POST',
      host: 'bedrock-runtime.us-east-1.amazonaws.com',
      path,
      headers: { 'content-type': 'application/json' },
    }
    // A view into a larger buffer, as bodies often are.
    const around = new Uint8Array(body.length + 5)
    around.set(body, 3)
    const view = around.subarray(3, 3 + body.length)
    const added = await sign({ ...request, body: view }, KEYS, AT_MS)
    expect(added['authorization']).toContain(`Signature=${expected(canonicalPath, body)}`)
  })
})
