// Every kind of mistake, at the exact line and column where it stands.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import type { Environment } from './environment.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function problemsOf(text: string, env: Environment = {}): readonly string[] {
  const result = parseConfig({ text, file: 'f.yaml', env, prices, sha256 })
  return result.kind === 'ok' ? [] : result.problems.map(({ at, message }) => `${at} ${message}`)
}

const SIM = 'providers: { sim: { kind: simulated } }\n'

describe('a mistake is told with its place and a way out', () => {
  test.each<[string, string, readonly string[]]>([
    ['an unknown key', 'taks: {}\n', ['f.yaml:1:1 unknown key `taks`; did you mean `tasks`?']],
    [
      'an unknown key deep inside',
      'tasks:\n  a:\n    budget: { max_model_call: 3 }\n',
      ['f.yaml:3:15 unknown key `max_model_call`; did you mean `max_model_calls`?'],
    ],
    [
      'a route on the device without its rule',
      'tasks:\n  a:\n    route: { on_device: { timeout_ms: 0 } }\n',
      [
        'f.yaml:3:25 `min_confidence` is missing',
        'f.yaml:3:39 must be a whole number from 1 to 86400000 ms, not `0`',
      ],
    ],
    [
      'an unknown key near nothing lists what is known',
      'server: { zzz: 1 }\n',
      ['f.yaml:1:11 unknown key `zzz`; known here: `max_body_bytes`, `allowed_origins`'],
    ],
    [
      'a hedge that is neither on nor off',
      'tasks:\n  a:\n    retries: { hedge: no }\n',
      ['f.yaml:3:23 must be `on` or `off`, not `no`'],
    ],
    ['a duplicate key', 'tasks: {}\ntasks: {}\n', ['f.yaml:2:1 `tasks` is already set on line 1']],
    ['a wrong type', 'tasks: 3\n', ['f.yaml:1:8 must be a map of keys and values, not `3`']],
    ['a list for a map', 'tasks: [a]\n', ['f.yaml:1:8 must be a map of keys and values, not a list']],
    [
      'not a map at all',
      '- a\n',
      ['f.yaml:1:1 the configuration must be a map of keys such as `providers` and `tasks`'],
    ],
    [
      'zero calls',
      'defaults: { budget: { max_model_calls: 0 } }\n',
      ['f.yaml:1:40 must be a whole number of at least 1 calls, not `0`'],
    ],
    [
      'a negative budget',
      'defaults: { budget: { max_cost_usd: -1 } }\n',
      ['f.yaml:1:37 must be a number from 0.000001 to 9000000 USD, not `-1`'],
    ],
    [
      'half a token',
      'defaults: { budget: { max_input_tokens: 1.5 } }\n',
      ['f.yaml:1:41 must be a whole number of at least 1 tokens, not `1.5`'],
    ],
    [
      'no time at all',
      'defaults: { budget: { max_latency_ms: 0 } }\n',
      ['f.yaml:1:39 must be a whole number from 1 to 86400000 ms, not `0`'],
    ],
    [
      'infinity',
      'limits: { usd_per_day: .inf }\n',
      ['f.yaml:1:24 must be a number from 0 to 9000000 USD, not `Infinity`'],
    ],
    [
      'a target above the limit',
      'tasks:\n  a:\n    budget: { max_latency_ms: 100 }\n    slo: { p95_latency_ms: 200 }\n',
      ['f.yaml:4:28 a target of 200 ms is above `max_latency_ms` (100 ms), so it could never be missed'],
    ],
    [
      'a target nobody knows',
      `${SIM}models: { m: { deployments: [{ provider: sim }], targets: { first_tokn_ms: 3000 } } }\n`,
      ['f.yaml:2:61 unknown key `first_tokn_ms`; did you mean `first_token_ms`?'],
    ],
    [
      'a target of no time',
      `${SIM}models: { m: { deployments: [{ provider: sim, targets: { per_token_ms: 0 } }] } }\n`,
      ['f.yaml:2:72 must be a whole number of at least 1 ms, not `0`'],
    ],
    [
      'an unknown rung',
      'tasks: { a: { degrade: [shorter_contex] } }\n',
      ['f.yaml:1:25 unknown rung `shorter_contex`; did you mean `shorter_context`?'],
    ],
    [
      'a rung twice',
      'tasks: { a: { degrade: [refine, refine] } }\n',
      ['f.yaml:1:33 `refine` is on the ladder twice'],
    ],
    [
      'a model on the device without its file',
      `${SIM.trimEnd().slice(0, -2)}, x: { kind: on-device, region: eu } }\n`,
      ['f.yaml:1:43 `model_path` is missing'],
    ],
    [
      'an unknown provider kind',
      'providers: { s: { kind: simulated }, x: { kind: openia } }\n',
      ['f.yaml:1:49 unknown provider kind; did you mean `openai`?'],
    ],
    [
      'a provider without a kind',
      'providers: { s: { kind: simulated }, x: { api_key: k } }\n',
      [expect.stringMatching(/^f\.yaml:1:41 `kind` is missing; one of `openai`, .*`on-device`$/) as string],
    ],
    [
      'a provider without its key',
      'providers: { s: { kind: simulated }, x: { kind: openai } }\n',
      ['f.yaml:1:41 `api_key` is missing'],
    ],
    [
      'a model on the device without its file, and with too many threads',
      'providers: { s: { kind: simulated }, x: { kind: on-device, threads: 0 } }\n',
      [
        'f.yaml:1:41 `model_path` is missing',
        'f.yaml:1:69 must be a whole number from 1 to 256 threads, not `0`',
      ],
    ],
    [
      'an address that is none',
      'providers: { x: { kind: openai, api_key: k, base_url: "ftp://h" } }\n',
      ['f.yaml:1:55 must be an address such as `https://host/v1`'],
    ],
    [
      'a knob of another kind of provider',
      'providers: { x: { kind: openai, api_key: k, latency_ms: 1 } }\n',
      [expect.stringMatching(/^f\.yaml:1:45 unknown key `latency_ms`/) as string],
    ],
    [
      'a deployment on an unknown provider',
      `${SIM}models: { m: { deployments: [{ provider: sin }] } }\n`,
      ['f.yaml:2:42 unknown provider `sin`; did you mean `sim`?'],
    ],
    [
      'a deployment twice',
      `${SIM}models: { m: { deployments: [{ provider: sim }, { provider: sim }] } }\n`,
      ['f.yaml:2:49 `sim/m` is listed twice'],
    ],
    [
      'a name that cannot travel in a header',
      'tasks: { a: { route: { default: "my model" } } }\n',
      ['f.yaml:1:33 a name has 1 to 200 printable ASCII characters and no spaces: it travels in headers'],
    ],
    [
      'a model without deployments',
      `${SIM}models: { m: { deployments: [] } }\n`,
      ['f.yaml:2:29 must not be empty'],
    ],
    [
      'a model named like a tier',
      `${SIM}models: { small: { deployments: [{ provider: sim }] } }\n`,
      ['f.yaml:2:11 a model cannot be named `small`: that is a tier'],
    ],
    [
      'a task named like a model',
      `${SIM}tasks:\n  gpt-4o: { route: { default: gpt-4o } }\n`,
      ['f.yaml:3:3 `gpt-4o` names a task and a model; rename one of them'],
    ],
    [
      'a task named like a tier',
      'tasks: { mid: {} }\n',
      ['f.yaml:1:10 a task cannot be named `mid`: that is a tier'],
    ],
    [
      'a route to a tier',
      'tasks: { a: { route: { default: small } } }\n',
      ['f.yaml:1:33 `small` is a tier; name a model'],
    ],
    [
      'a key twice among tenants',
      'tenants:\n  a: { keys: [k] }\n  b: { keys: [k] }\n',
      ['f.yaml:3:15 this key already belongs to tenant `a`'],
    ],
    ['a tenant without keys', 'tenants: { a: { keys: [] } }\n', ['f.yaml:1:23 must not be empty']],
    [
      'an attribute named like a fact',
      'tenants: { a: { keys: [k], attributes: { model: x } } }\n',
      ['f.yaml:1:42 `model` is a fact of every call and cannot be an attribute'],
    ],
    [
      'a signal named like a fact',
      'defaults: { signals: { output: { from: logprobs } } }\n',
      ['f.yaml:1:32 `output` is a fact of every call and cannot be a signal'],
    ],
    [
      'a judge without a model',
      'defaults: { signals: { confidence: { from: judge } } }\n',
      ['f.yaml:1:36 `model` is missing: the model that grades the answer'],
    ],
    [
      'a key of another signal source',
      'defaults: { signals: { confidence: { from: logprobs, samples: 3 } } }\n',
      ['f.yaml:1:63 `samples` belongs to `from: self_consistency`'],
    ],
    [
      'a price without an output rate',
      `${SIM}models: { m: { price: { input: 1 }, deployments: [{ provider: sim }] } }\n`,
      ['f.yaml:2:23 `output` is missing'],
    ],
    ['an alias without an anchor', 'tasks: *nothing\n', ['f.yaml:1:8 this alias has no anchor']],
    ['a tag', 'tasks: !secret x\n', ['f.yaml:1:8 not valid YAML: Unresolved tag: !secret']],
    ['an unclosed list', 'a: [1\n', [expect.stringMatching(/^f\.yaml:2:1 not valid YAML: /) as string]],
    [
      'a variable in braces without quotes',
      'providers: { x: { kind: openai, api_key: ${KEY} } }\n',
      [expect.stringMatching(/^f\.yaml:1:43 not valid YAML: .*needs quotes/) as string],
    ],
  ])('%s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })

  test.each<[string, string, string]>([
    [
      'double quotes',
      'success: ["output.text == 3", "outputt.x"]',
      'f.yaml:3:36 `outputt` is not a known fact',
    ],
    [
      'single quotes',
      "success: ['true', 'task == ''a'' and task > 3']",
      'f.yaml:3:42 bad expression: no such overload',
    ],
    ['plain text', 'success: [output.txt == 3]', 'f.yaml:3:22 `output` has no `txt`'],
    [
      'a folded block',
      'success:\n      - >-\n        escalated or\n        task > 3',
      'f.yaml:6:9 bad expression',
    ],
    [
      'a literal block',
      'success:\n      - |\n        escalated or\n          task > 3',
      'f.yaml:6:11 bad expression',
    ],
  ])('a bad expression in %s points into the expression', (_, yaml, expected) => {
    expect(problemsOf(`tasks:\n  a:\n    ${yaml}\n`).join('\n')).toContain(expected)
  })

  test('all problems are told at once, in the order of the file', () => {
    const text = `
providers: { x: { kind: azur }, s: { kind: simulated, sed: 3 } }
tasks:
  a:
    budget: { max_model_call: 3, max_cost_usd: -1 }
    degrade: [shorter_contex]
    route: { default: small, escalate_if: [{ condition: "confidenc < 3", model: gpt-4o }] }
`
    const places = problemsOf(text).map((problem) => problem.split(' ')[0])
    expect(places).toEqual([
      'f.yaml:2:25',
      'f.yaml:2:55',
      'f.yaml:5:15',
      'f.yaml:5:48',
      'f.yaml:6:15',
      'f.yaml:7:23',
      'f.yaml:7:58',
    ])
  })

  test('a mistake in `defaults` is told once, where it stands, however many tasks inherit it', () => {
    const text = 'defaults: { degrade: [refin] }\ntasks: { a: {}, b: {}, c: {} }\n'
    expect(problemsOf(text)).toEqual(['f.yaml:1:23 unknown rung `refin`; did you mean `refine`?'])
  })
})

describe('the upper-case form', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'a setting that both forms give',
      'ROUTING: { default_model: gpt-4o }\ndefaults: { route: { default: gpt-4o-mini } }\n',
      ['f.yaml:1:12 `default` is also set on line 2; keep one of the two'],
    ],
    [
      'an unknown budget',
      'TASK_BUDGETS: { a: { max_calls: 3 } }\n',
      [expect.stringMatching(/^f\.yaml:1:22 unknown key `max_calls`/) as string],
    ],
    [
      'an unknown cache',
      'CACHING: { semantc_cache: {} }\n',
      ['f.yaml:1:12 unknown key `semantc_cache`; did you mean `semantic_cache`?'],
    ],
    [
      'a bad value, where it stands',
      'CACHING:\n  semantic_cache:\n    similarity_threshold: 92\n',
      ['f.yaml:3:27 must be a number from 0 to 1, not `92`'],
    ],
  ])('%s', (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })
})

describe('models and keys', () => {
  const text = 'tasks: { a: { route: { default: claude-3-5-sonnet } } }\n'

  test('a model whose seller has no key is a problem that names the variable', () => {
    expect(problemsOf(text, { OPENAI_API_KEY: 'k' })).toEqual([
      'f.yaml:1:33 `claude-3-5-sonnet` is sold by anthropic, which has no key here; ' +
        'set `ANTHROPIC_API_KEY`, or define it in `models`',
    ])
  })

  test('a model nobody knows is a problem with the nearest configured one', () => {
    const models = 'models: { llama-small: { tier: small, deployments: [{ provider: openai, model: x }] } }\n'
    const route = 'tasks: { a: { route: { default: lama-small } } }\n'
    expect(problemsOf(models + route, { OPENAI_API_KEY: 'k' })).toEqual([
      'f.yaml:2:33 unknown model `lama-small`: neither in `models` nor in the price list; did you mean `llama-small`?',
    ])
  })

  test('with a server of our own and no model, the missing route is told, not the model we would have guessed', () => {
    const own = 'providers: { gpu: { kind: openai-compatible, base_url: "http://h:1/v1" } }\n'
    expect(problemsOf(own)).toEqual([
      'f.yaml:1:1 no model to route to: give `route.default`, or define `models`',
    ])
  })
})

describe('the environment', () => {
  test('a missing variable is one problem, at the variable', () => {
    const text = 'providers:\n  x: { kind: openai, api_key: "${OPENAI_API_KEY}" }\n'
    expect(problemsOf(text)).toEqual([
      'f.yaml:2:32 the environment variable `OPENAI_API_KEY` is not set; ' +
        'set it, or write `${OPENAI_API_KEY:-default}`',
    ])
  })

  test('an empty key is a problem', () => {
    const text = 'providers: { x: { kind: openai, api_key: "${K}" } }\n'
    expect(problemsOf(text, { K: '' })).toEqual(['f.yaml:1:42 must not be empty'])
  })

  test('a bad address in an implied provider names the variable', () => {
    expect(problemsOf('', { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'nope' })).toEqual([
      'f.yaml:1:1 the environment variable `OPENAI_BASE_URL` must be an http(s) address',
    ])
  })

  test('no value of the environment is ever in a message, wherever it stands', () => {
    const places: readonly string[] = [
      'providers: { x: { kind: "${S}" } }',
      'providers: { x: { kind: openai, api_key: k, base_url: "${S}", timeout_ms: "${S}", hosting: "${S}" } }',
      'providers: { x: { kind: simulated, outage: "${S}", error_rate: "${S}" } }',
      'models: { m: { tier: "${S}", deployments: [{ provider: "${S}" }] } }',
      'tasks: { a: { degrade: ["${S}"], success: ["${S}"], record: "${S}", slo: "${S}" } }',
      'tasks: { a: { route: { default: "${S}", escalate_if: [{ condition: "${S} <", model: "${S}" }] } } }',
      'tasks: { a: { signals: { confidence: { from: "${S}" } } } }',
      'tenants: { a: { keys: ["${S}", "${S}x"], limits: { rpm: "${S}" } }, b: { keys: ["${S}"] } }',
      'tenants: "${S}"',
      '"${S}"',
    ]
    // Letters that no message of ours has in a row. A real key is there, so that no simulation takes every
    // name.
    const secret = fc.string({ unit: fc.constantFrom('q', 'Z', '9', 'X'), minLength: 6, maxLength: 40 })
    fc.assert(
      fc.property(fc.constantFrom(...places), secret, (place, value) => {
        const found = problemsOf(`${place}\n`, { S: value, OPENAI_API_KEY: 'k' })
        expect(found.length).toBeGreaterThan(0)
        expect(found.join('\n')).not.toContain(value)
      }),
      { numRuns: 300 },
    )
  })

  test('a syntax error does not quote what may be a key', () => {
    const found = problemsOf('providers: { x: { api_key: "a" "sk-very-secret" } }\n')
    expect(found.length).toBeGreaterThan(0)
    expect(found.join('\n')).not.toContain('very-secret')
  })
})

describe('hostile files', () => {
  test('aliases that multiply, or contain themselves, end in one problem', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 10; level++) {
      const [name, before] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)]
      bomb.push(`${name}: &${name} [${Array.from({ length: 8 }, () => `*${before}`).join(', ')}]`)
    }
    expect(problemsOf(bomb.join('\n')).join('\n')).toContain('too large')
    expect(problemsOf('tasks: &t { a: *t }\n').join('\n')).toContain('too large')
  })

  test('whatever the text, there is a release or a problem with a place, never an exception', () => {
    const words = fc.constantFrom(
      'tasks',
      'a',
      'budget',
      'route',
      'default',
      'providers',
      'kind',
      'simulated',
    )
    const layout = fc.constantFrom(': ', '\n', '  ', '- ', '{', '}', '[', ']', ',', '|', '>', '#')
    const values = fc.constantFrom('"', "'", '${A}', '&x ', '*x', '1', '<<', '!t ', 'success', 'x == 1')
    const piece = fc.oneof(words, layout, values)
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        for (const problem of problemsOf(pieces.join(''))) expect(problem).toMatch(/^f\.yaml:\d+:\d+ \S/)
      }),
      { numRuns: 500 },
    )
  })
})
