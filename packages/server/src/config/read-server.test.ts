import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import type { Environment } from './environment.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function parse(server: string, env: Environment = {}) {
  const text = `providers: { sim: { kind: simulated } }\nserver: ${server}\n`
  return parseConfig({ text, file: 'f.yaml', env, prices, sha256 })
}

function originsOf(list: string, env: Environment = {}): readonly string[] {
  const result = parse(`{ allowed_origins: ${list} }`, env)
  if (result.kind === 'ok') return result.value.server.allowedOrigins
  throw new Error(result.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}

function problemsOf(list: string, env: Environment = {}): readonly string[] {
  const result = parse(`{ allowed_origins: ${list} }`, env)
  return result.kind === 'ok' ? [] : result.problems.map(({ at, message }) => `${at} ${message}`)
}

describe('origins that may call from a browser', () => {
  test('are kept as written', () => {
    const origins = [
      'https://app.example',
      'http://localhost:5173',
      'http://[::1]:8080',
      'capacitor://localhost',
    ]
    expect(originsOf(JSON.stringify(origins))).toEqual(origins)
  })

  test('may come from the environment', () => {
    expect(originsOf('["${APP}"]', { APP: 'https://app.example' })).toEqual(['https://app.example'])
  })

  test('are none unless configured', () => {
    const result = parse('{}')
    expect(result.kind === 'ok' && result.value.server.allowedOrigins).toEqual([])
  })

  test('are part of the release', () => {
    const ids = ['[]', '["https://a.example"]', '["https://b.example"]'].map((list) => {
      const result = parse(`{ allowed_origins: ${list} }`)
      return result.kind === 'ok' ? result.value.id : 'invalid'
    })
    expect(new Set(ids).size).toBe(3)
  })

  test('everybody is no origin, and the message says what to write instead', () => {
    expect(problemsOf('["*"]')).toEqual([
      expect.stringMatching(
        /^f\.yaml:2:29 `\*` is not accepted: any page .* list the origins, as in `\[https:/,
      ),
    ])
  })

  test.each([
    ['a path', 'https://app.example/chat', 'https://app.example'],
    ['a closing slash', 'https://app.example/', 'https://app.example'],
    ['capitals', 'https://App.Example', 'https://app.example'],
    ["the scheme's own port", 'https://app.example:443', 'https://app.example'],
    ['a name that is not ASCII', 'https://bücher.example', 'https://xn--bcher-kva.example'],
    ['a user', 'https://me@app.example', 'https://app.example'],
  ])('%s is not what a browser sends, so the nearest origin is offered', (_, written, origin) => {
    const wanted = 'f.yaml:2:29 must be an origin such as `https://app.example:8443`, not'
    expect(problemsOf(`["${written}"]`)).toEqual([`${wanted} \`${written}\`; did you mean \`${origin}\`?`])
  })

  test.each(['app.example', 'null', '', 'https://*.app.example ', 'file:///index.html', 'data:text/html,x'])(
    '`%s` is none',
    (written) => {
      expect(problemsOf(JSON.stringify([written]))).toEqual([
        expect.stringContaining('must be an origin such as'),
      ])
    },
  )

  test('are text in a list', () => {
    expect(problemsOf('https://app.example')).toEqual([expect.stringContaining('must be a list')])
    expect(problemsOf('[1]')).toEqual(['f.yaml:2:29 must be text, not `1`'])
  })

  test('a mistake in the environment is told without its value', () => {
    const [problem = ''] = problemsOf('["${APP}"]', { APP: 'https://secret.example/' })
    expect(problem).toContain('not (from the environment)')
    expect(problem).not.toContain('secret')
  })
})
