import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PROBLEMS_MAX } from './field-reader.js'
import {
  REQUEST_LIMITS,
  parseAttributes,
  parseOpenTask,
  parseOutcome,
  parseReportedStep,
  parseSteer,
} from './parse-requests.js'
import type { Parsed } from './parsed.js'

const problemsOf = (result: Parsed<unknown>) =>
  result.kind === 'invalid' ? result.problems.map(({ at, message }) => `${at}: ${message}`) : []

const step = { kind: 'tool', name: 'find_order', started_at: '2026-11-24T10:00:00.250Z', duration_ms: 12.5 }
const deviceCall = { model: 'browser', end: 'answered' }
const textOf = (length: number) => 'x'.repeat(length)
const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]))
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))

describe('opening a task', () => {
  const full = {
    contract: 'support_reply',
    attributes: { account_tier: 'enterprise', turns: 3, tags: ['a'] },
    session: 's-1',
    budget: {
      max_model_calls: 2,
      max_input_tokens: 4_000,
      max_output_tokens: 300,
      max_tool_calls: 1,
      max_tool_ms: 1_500.5,
      max_latency_ms: 5_000,
      max_cost_usd: 0.01,
    },
    external_id: 'ticket-17',
    parent: 'task_1',
  }

  test('takes everything the contract of the API names, unchanged', () => {
    expect(parseOpenTask(full)).toEqual({ kind: 'ok', value: full })
  })

  test('takes null for "not set" where a member is optional', () => {
    const body = {
      contract: 'a',
      attributes: null,
      session: null,
      budget: null,
      external_id: null,
      parent: null,
    }
    expect(parseOpenTask(body)).toEqual({ kind: 'ok', value: { contract: 'a' } })
  })

  test('reports every problem at once, each with its place', () => {
    const body = {
      contract: 7,
      atributes: {},
      session: textOf(201),
      budget: { max_model_calls: 0, max_cost_usd: '1', max_input_tokens: 1.5, max_outptu_tokens: 5 },
    }
    expect(problemsOf(parseOpenTask(body))).toEqual([
      'body: unknown key "atributes"; did you mean "attributes"?',
      'contract: must be a string, not a number',
      'session: is 201 characters long, at most 200',
      'budget: unknown key "max_outptu_tokens"; did you mean "max_output_tokens"?',
      'budget.max_model_calls: must be above 0',
      'budget.max_input_tokens: must be a whole number',
      'budget.max_cost_usd: must be a number, not a string',
    ])
  })

  test.each([
    ['text', 'body: must be an object, not a string'],
    [null, 'body: must be an object, not null'],
    [[], 'body: must be an object, not an array'],
    [undefined, 'body: must be an object, not a undefined'],
    [{}, 'contract: is missing'],
    [{ contract: null }, 'contract: must be a string, not null'],
    [{ contract: '' }, 'contract: must not be empty'],
    [{ contract: 'a', budget: { max_cost_usd: Infinity } }, 'budget.max_cost_usd: must be a finite number'],
    [{ contract: 'a', budget: { max_cost_usd: 1e300 } }, 'budget.max_cost_usd: must be at most 8388608'],
    [{ contract: 'a', attributes: [] }, 'attributes: must be an object, not an array'],
    [{ contract: 'a', attributes: keys(65) }, 'attributes: has 65 keys, at most 64'],
    [{ contract: 'a', attributes: { a: textOf(8_192) } }, 'attributes: is 8200 bytes of JSON, at most 8192'],
    [
      { contract: 'a', attributes: { a: 'ü'.repeat(4_093) } },
      'attributes: is 8194 bytes of JSON, at most 8192',
    ],
    [{ contract: 'a', attributes: { a: nested(40) } }, 'attributes: is nested deeper than 32 levels'],
    [{ contract: 'a', attributes: { '': 1 } }, 'attributes: must not have an empty key'],
    [
      { contract: 'a', attributes: JSON.parse('{"__proto__":{"admin":true}}') },
      'attributes: must not have a key named "__proto__"',
    ],
  ])('refuses %j', (body, problem) => {
    expect(problemsOf(parseOpenTask(body))).toEqual([problem])
  })

  test('survives a body nested deeper than any stack', () => {
    const body = { contract: 'a', attributes: { a: nested(200_000) } }
    expect(problemsOf(parseOpenTask(body))).toEqual(['attributes: is nested deeper than 32 levels'])
  })

  test('names a wrong key without repeating all of it, and lists the known ones when none is near', () => {
    const [problem] = problemsOf(parseOpenTask({ contract: 'a', [textOf(500)]: 1 }))
    expect(problem).toContain('known keys: contract, attributes, session, budget, external_id, parent')
    expect(problem?.length).toBeLessThan(200)
  })

  test('stops noting problems when there are too many to help', () => {
    expect(problemsOf(parseOpenTask({ contract: 'a', ...keys(1_000) }))).toHaveLength(PROBLEMS_MAX)
  })
})

describe('reporting a step', () => {
  test('takes a step with and without its optional members', () => {
    const whole = { ...step, cost_usd: 0, input: { id: 7 }, output: 'found', error: { name: 'E' } }
    expect(parseReportedStep(step)).toEqual({ kind: 'ok', value: step })
    expect(parseReportedStep(whole)).toEqual({ kind: 'ok', value: whole })
  })

  test('takes a model call on a device', () => {
    const told = { input_tokens: 12, output_tokens: 0, confidence: 0.8, first_byte_ms: 40 }
    const on_device = { ...deviceCall, ...told, streamed: true, finish_reason: 'stop' }
    const body = { ...step, kind: 'model', on_device }
    expect(parseReportedStep(body)).toEqual({ kind: 'ok', value: body })
  })

  test.each([
    [{ kind: 'tol' }, 'kind: must be one of retrieval, tool, review, custom, model; did you mean tool?'],
    [{ kind: 'answer' }, 'kind: must be one of retrieval, tool, review, custom, model'],
    [{ kind: 'model' }, 'on_device: is missing: only model calls on a device are reported'],
    [{ on_device: deviceCall }, 'on_device: needs kind model'],
    [
      { kind: 'model', on_device: { ...deviceCall, confidence: 1.2 } },
      'on_device.confidence: must be at most 1',
    ],
    [
      { kind: 'model', on_device: { ...deviceCall, streamed: 1 } },
      'on_device.streamed: must be true or false, not a number',
    ],
    [
      { kind: 'model', on_device: { ...deviceCall, prompt: 'Hi' } },
      'on_device: unknown key "prompt"; known keys: model, end, input_tokens, output_tokens, ' +
        'confidence, first_byte_ms, streamed, finish_reason',
    ],
    [{ name: undefined }, 'name: is missing'],
    [{ started_at: 'yesterday' }, 'started_at: must be an instant such as "2026-01-31T09:30:00.250Z"'],
    [
      { started_at: '2026-13-01T00:00:00Z' },
      'started_at: must be an instant such as "2026-01-31T09:30:00.250Z"',
    ],
    [{ started_at: 1_700_000_000 }, 'started_at: must be an instant such as "2026-01-31T09:30:00.250Z"'],
    [{ duration_ms: -1 }, 'duration_ms: must be at least 0'],
    [{ cost_usd: -0.1 }, 'cost_usd: must be at least 0'],
    [{ output: textOf(16_384) }, 'output: is 16386 bytes of JSON, at most 16384'],
  ])('refuses %j', (change, problem) => {
    expect(problemsOf(parseReportedStep({ ...step, ...change }))).toEqual([problem])
  })

  test('takes every instant that a date can print', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }), (date) => {
        expect(parseReportedStep({ ...step, started_at: date.toISOString() }).kind).toBe('ok')
      }),
    )
    expect(parseReportedStep({ ...step, started_at: '2026-11-24T10:00:00+02:00' }).kind).toBe('ok')
  })
})

describe('an outcome', () => {
  test('takes a verdict with everything', () => {
    const body = {
      status: 'succeeded',
      output: { text: 'hi' },
      evidence: ['doc-1', { id: 2 }],
      score: -0.5,
      reason: 'ok',
    }
    expect(parseOutcome(body)).toEqual({ kind: 'ok', value: body })
  })

  test.each([
    [{}, 'status: is missing'],
    [{ status: 'succeded' }, 'status: must be one of succeeded, failed, abandoned; did you mean succeeded?'],
    [{ status: 'won' }, 'status: must be one of succeeded, failed, abandoned'],
    [{ status: 'failed', evidence: {} }, 'evidence: must be an array, not an object'],
    [
      { status: 'failed', evidence: Array.from({ length: 101 }, () => 1) },
      'evidence: has 101 items, at most 100',
    ],
    [{ status: 'failed', score: Number.NaN }, 'score: must be a finite number'],
    [{ status: 'failed', reason: textOf(2_001) }, 'reason: is 2001 characters long, at most 2000'],
  ])('refuses %j', (body, problem) => {
    expect(problemsOf(parseOutcome(body))).toEqual([problem])
  })
})

describe('the attributes header', () => {
  test('is a JSON object', () => {
    expect(parseAttributes('{"account_tier":"enterprise"}')).toEqual({
      kind: 'ok',
      value: { account_tier: 'enterprise' },
    })
  })

  test.each([
    ['{"a":', 'x-spillway-attributes: is not JSON; send an object such as {"plan":"pro"}'],
    ['', 'x-spillway-attributes: is not JSON; send an object such as {"plan":"pro"}'],
    ['[1]', 'x-spillway-attributes: must be an object, not an array'],
  ])('refuses %j', (header, problem) => {
    expect(problemsOf(parseAttributes(header))).toEqual([problem])
  })
})

test('any JSON is either accepted or refused with a reason', () => {
  const parsers = [parseOpenTask, parseReportedStep, parseOutcome, parseSteer]
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...parsers), (body, parse) => {
      const result = parse(body)
      expect(result.kind === 'ok' || result.problems.length > 0).toBe(true)
    }),
  )
})

test('problems never repeat what was sent', () => {
  const secret = 'sk-live-4242'
  const bodies = [
    { contract: 7, session: secret.repeat(30), attributes: secret, parent: [secret] },
    { kind: secret, name: { secret }, started_at: secret, duration_ms: secret, status: secret, reason: 1 },
  ]
  for (const body of bodies) {
    for (const parse of [parseOpenTask, parseReportedStep, parseOutcome]) {
      expect(JSON.stringify(parse(body))).not.toContain(secret)
    }
  }
  expect(JSON.stringify(parseAttributes(`{${secret}`))).not.toContain(secret)
})

test('attributes are accepted exactly when they keep within their bounds', () => {
  const names = fc.string({ minLength: 1, maxLength: 220 })
  const attributes = fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), {
    maxKeys: 80,
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(attributes, (value) => {
      const own = Object.keys(value)
      const bytes = encodeURIComponent(JSON.stringify(value)).replace(/%../g, 'x').length
      const fits =
        own.length <= REQUEST_LIMITS.attributeKeysMax &&
        own.every((key) => key.length <= REQUEST_LIMITS.nameLengthMax && key !== '__proto__') &&
        bytes <= REQUEST_LIMITS.attributesBytesMax
      expect(parseOpenTask({ contract: 'a', attributes: value }).kind).toBe(fits ? 'ok' : 'invalid')
    }),
    { numRuns: 300 },
  )
})

describe('parseSteer', () => {
  test('an action by hand has its end and its reason', () => {
    const order = { action: 'drain', for_seconds: 600, reason: 'maintenance' }
    expect(parseSteer(order)).toEqual({ kind: 'ok', value: order })
    expect(parseSteer({ action: 'auto', reason: 'over' }).kind).toBe('ok')
  })

  const bad: readonly (readonly [object, string])[] = [
    [{ action: 'open', reason: 'x' }, 'for_seconds'],
    [{ action: 'auto', for_seconds: 5, reason: 'x' }, 'for_seconds'],
    [{ action: 'open', for_seconds: 0, reason: 'x' }, 'for_seconds'],
    [{ action: 'open', for_seconds: 1.5, reason: 'x' }, 'for_seconds'],
    [{ action: 'open', for_seconds: 86_401, reason: 'x' }, 'for_seconds'],
    [{ action: 'open', for_seconds: 5, reason: '' }, 'reason'],
    [{ action: 'shut', for_seconds: 5, reason: 'x' }, 'action'],
    [{ action: 'open', for_seconds: 5, reason: 'x', by: 'me' }, 'body'],
  ]
  test.each(bad)('%o is refused at %s', (body, at) => {
    expect(parseSteer(body)).toMatchObject({ kind: 'invalid', problems: [{ at }] })
  })
})
