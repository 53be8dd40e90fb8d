import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Facts } from '../core/release/rule.js'
import { type Compiled, expressionCompiler, type Scope } from './expressions.js'

const SCOPE: Scope = {
  place: 'route',
  signals: {
    confidence: { from: 'logprobs' },
    score: { from: 'output', path: 'score' },
    risk: { from: 'attribute', name: 'risk' },
  },
  attributes: new Set(['tenants']),
}
const inRoute = expressionCompiler(SCOPE)
const inJudge = expressionCompiler({ ...SCOPE, place: 'judge' })

function ok(compiled: Compiled): Extract<Compiled, { kind: 'ok' }> {
  if (compiled.kind === 'ok') return compiled
  throw new Error(JSON.stringify(compiled.problems))
}

function problems(compiled: Compiled): readonly { index: number; message: string }[] {
  return compiled.kind === 'invalid' ? compiled.problems : []
}

describe('evaluation', () => {
  test.each<[string, Facts, 'yes' | 'no' | 'unknown']>([
    ['score > 3', { score: 3.5 }, 'yes'],
    ['score > 3', { score: 3 }, 'no'],
    ['score == 3', { score: 3 }, 'yes'],
    ['3 == score', { score: 3 }, 'yes'],
    ['score != 3', { score: 3 }, 'no'],
    ['score * 2 + 1 == 7', { score: 3 }, 'yes'],
    ['x == 1', { x: 1 }, 'yes'],
    ['x == 1', { x: 1.5 }, 'no'],
    ['x % 2 == 1', { x: 5 }, 'yes'],
    ['x in [1, 5]', { x: 5 }, 'yes'],
    ['x in ["a", "b"]', { x: 'c' }, 'no'],
    ['size(x) == 2', { x: ['a', 'b'] }, 'yes'],
    ['seats.exists(s, s == "a")', { seats: ['b', 'a'] }, 'yes'],
    ['confidence < 0.72', { confidence: 0.5 }, 'yes'],
    ['confidence < 0.72', {}, 'unknown'],
    ['confidence < 0.72', { confidence: 'low' }, 'unknown'],
    ['confidence < 0.72', { confidence: null }, 'unknown'],
    ['flagged', { flagged: true }, 'yes'],
    ['flagged', { flagged: 'yes' }, 'unknown'],
    ['plan == "pro" and sentiment == "bad"', { plan: 'free' }, 'no'],
    ['plan == "pro" or sentiment == "bad"', { plan: 'pro' }, 'yes'],
    ['plan == "pro" and sentiment == "bad"', { plan: 'pro' }, 'unknown'],
    ['not (stream or has_tools)', { stream: false, has_tools: false }, 'yes'],
    ['remaining.cost_usd < 1', { remaining: { cost_usd: Infinity } }, 'no'],
    ['remaining.ms < 2000', { remaining: { ms: 10 } }, 'yes'],
    ['labels.or == "x"', { labels: { or: 'x' } }, 'yes'],
    ['profile.constructor == 1', { profile: {} }, 'unknown'],
    ['toString == 1', {}, 'unknown'],
  ])('%s over %j is %s', (source, facts, verdict) => {
    expect(ok(inRoute(source)).rule.evaluate(facts)).toBe(verdict)
  })

  test('keeps the source as written and lists the facts it reads, sorted and once', () => {
    const { rule } = ok(inRoute('tier == "b" and account == "a" and tier != "c" and seats.all(s, s > 0)'))
    expect(rule.source).toBe('tier == "b" and account == "a" and tier != "c" and seats.all(s, s > 0)')
    expect(rule.reads).toEqual(['account', 'seats', 'tier'])
  })

  test("names of CEL's own types are not facts", () => {
    expect(ok(inRoute('type(x) == double')).rule.reads).toEqual(['x'])
  })
})

test('evaluation never throws, whatever the facts are', () => {
  const rules = [
    'a.b == 1 and size(c) > d',
    'a in c or a + d > 2',
    'c.exists(x, x == a)',
    'not a',
    'a[d] == c[a]',
  ]
  const compiled = rules.map((source) => ok(inRoute(source)).rule)
  const facts = fc.dictionary(
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.oneof(fc.jsonValue(), fc.constant(undefined)),
  )
  fc.assert(
    fc.property(facts, (given) => {
      for (const rule of compiled) expect(['yes', 'no', 'unknown']).toContain(rule.evaluate(given))
    }),
  )
})

describe('the split by when facts are known', () => {
  test.each([
    ['confidence < 0.72', 'after'],
    ["account_tier == 'enterprise' and sentiment == 'high_risk'", 'before'],
    ["account_tier == 'enterprise' and confidence < 0.9", 'after'],
    ['score > 3', 'after'],
    ['risk == "high"', 'before'],
    ['remaining.ms < 2000 or input_tokens > 4000', 'before'],
  ])('%s decides %s the call', (source, phase) => {
    expect(ok(inRoute(source)).phase).toBe(phase)
  })
})

describe('what is refused at load', () => {
  test.each([
    ['confidence <', 12, /^bad expression: Unexpected token: EOF/],
    ['confidence = 3', 11, /compare with `==`/],
    ['task > 3', 0, /no such overload: string > int/],
    ['a == 1 and task < 2', 11, /no such overload: string < int/],
    ['not confidence < 0.5', 0, /write `not \(...\)`/],
    ['confidence in [0, 1]', 0, /write the numbers of the list as `1.0`/],
    ['confidence + 1', 0, /must be true or false, but is of type double/],
    ['confidenc < 0.5', 0, /`confidenc` is not a known fact; did you mean `confidence`\?/],
    ['a == 1 or prioritty == "batch"', 10, /did you mean `priority`/],
    ['remaining.cost < 1', 10, /`remaining` has no `cost`; it has `cost_usd`/],
    ['remaining.input_token < 1', 10, /did you mean `input_tokens`/],
    ['output.text == ""', 0, /known only when the task is judged/],
    ['plan.matches("(a+)+$")', 0, /`matches` is not available/],
    ['x.all(a, y.exists(b, b == a))', 9, /`exists` inside another list macro/],
    ['cel.bind(a, 1, a == x)', 0, /`cel.bind` is not available/],
    ['nothing(x)', 0, /no matching overload/],
  ])('%s, at %i', (source, index, message) => {
    const found = problems(inRoute(source))
    expect(found.map((problem) => problem.index)).toContain(index)
    expect(found.map((problem) => problem.message).join('\n')).toMatch(message)
  })

  test('an expression of too many nodes, and one too deep', () => {
    expect(inRoute(Array.from({ length: 120 }, () => 'x').join(' + ')).kind).toBe('invalid')
    expect(inRoute(`${'('.repeat(40)}x${')'.repeat(40)}`).kind).toBe('invalid')
  })

  test('an attribute that a tenant sets is never taken for a misspelt fact', () => {
    expect(inRoute('tenants == 3').kind).toBe('ok')
    expect(inRoute('tenantt == 3').kind).toBe('invalid')
  })

  test('short attribute names are left alone', () => {
    expect(inRoute('tas == 1 and mode == 2').kind).toBe('ok')
  })
})

describe('rules about the finished task', () => {
  const facts: Facts = {
    output: { text: 'hello', json: { n: 3 }, finish_reason: 'stop', tool_calls: [] },
    checks: { schema_valid: true, leaked_secret: false },
    evidence: ['doc-1', 'doc-2'],
    verdict: { status: 'succeeded', score: 0.8 },
    cost_usd: 0.01,
    latency_ms: 900,
    degraded: ['shorter_context'],
    escalated: false,
    model_calls: 1,
    confidence: 0.9,
  }

  test.each([
    ["output.text != ''", 'yes'],
    ['checks.schema_valid', 'yes'],
    ['checks.leaked_secret', 'no'],
    ['checks.never_ran', 'unknown'],
    ['output.json.n == 3', 'yes'],
    ['size(evidence) >= 2', 'yes'],
    ['evidence.exists(e, e.startsWith("doc"))', 'yes'],
    ['verdict.score >= 0.75', 'yes'],
    ['cost_usd < 0.05 and latency_ms < 1000', 'yes'],
    ['"refine" in degraded or escalated', 'no'],
    ['model_calls == 1', 'yes'],
    ['size(output.tool_calls) == 0', 'yes'],
  ])('%s is %s', (source, verdict) => {
    expect(ok(inJudge(source)).rule.evaluate(facts)).toBe(verdict)
  })

  test('a misspelt member of the output is a problem', () => {
    expect(problems(inJudge('output.txt == "a"'))[0]?.message).toMatch(/did you mean `text`/)
  })
})
