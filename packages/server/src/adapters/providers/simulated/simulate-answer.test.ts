import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAnthropicMessages } from './parse-anthropic.js'
import { parseOpenAiChat } from './parse-openai.js'
import { readDirectives } from './directives.js'
import type { SimAnswer, SimChoice, SimOptions } from './sim-answer.js'
import { BEHAVIOUR, QUESTION, chatBody } from '../../../testing/simulation-examples.js'
import { JUDGE_MARKER, simulateAnswer } from './simulate-answer.js'
import { countInputTokens, tokenize } from './tokens.js'

function optionsWith(more: Partial<SimOptions> = {}, orders?: string): SimOptions {
  return { behaviour: BEHAVIOUR, directives: readDirectives(orders, ''), seed: 7, ordinal: 0, ...more }
}

const TOOLS = ['lookup_order', 'refund'].map((name) => ({
  type: 'function',
  function: {
    name,
    parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
  },
}))

function ask(more: Record<string, unknown> = {}, options = optionsWith(), text = QUESTION): SimAnswer {
  return simulateAnswer(parseOpenAiChat(chatBody(more, text)), options)
}

function first(answer: SimAnswer): SimChoice {
  const [choice] = answer.choices
  if (choice === undefined) throw new Error('no choice')
  return choice
}

const textOf = (answer: SimAnswer): string => first(answer).tokens.join('')

/** A prompt, of many, for which the seeded coin calls a tool. */
function askUntilToolCall(more: Record<string, unknown>, wanted: (choice: SimChoice) => boolean): SimChoice {
  for (let round = 0; round < 200; round++) {
    const choice = first(ask({ tools: TOOLS, ...more }, optionsWith(), `${QUESTION} ${round}`))
    if (wanted(choice)) return choice
  }
  throw new Error('none of 200 prompts did')
}

describe('text', () => {
  test('it takes up the words of the question and is as long as configured', () => {
    const answer = ask()
    expect(textOf(answer)).toMatch(/replacement|card|arrived/)
    expect(answer.outputTokens).toBe(48)
    expect(first(answer).finish).toBe('stop')
  })

  test('any text is the join of its tokens', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(tokenize(text).join('')).toBe(text)
      }),
    )
  })

  test('the same seed says the same, another seed does not', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 31 }), (text, seed) => {
        expect(ask({}, optionsWith({ seed }), text)).toEqual(ask({}, optionsWith({ seed }), text))
      }),
    )
    expect(textOf(ask({}, optionsWith({ seed: 1 })))).not.toBe(textOf(ask({}, optionsWith({ seed: 2 }))))
  })

  test('a limit on tokens is kept exactly and named as the reason', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (limit, length) => {
        const answer = ask(
          { max_tokens: limit },
          optionsWith({ behaviour: { ...BEHAVIOUR, outputTokens: length } }),
        )
        expect(answer.outputTokens).toBe(Math.min(limit, length))
        expect(first(answer).finish).toBe(limit < length ? 'length' : 'stop')
      }),
    )
  })

  test('a stop sequence ends the text before it, wherever it falls in a token', () => {
    const text = textOf(ask())
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: text.length - 4 }),
        fc.integer({ min: 1, max: 3 }),
        (at, length) => {
          const stop = text.slice(at, at + length)
          const choice = first(ask({ stop: [stop] }))
          expect(choice.tokens.join('')).toBe(text.slice(0, text.indexOf(stop)))
          expect(choice).toMatchObject({ finish: 'stop-sequence', stopSequence: stop })
          expect(choice.logprobs).toHaveLength(choice.tokens.length)
        },
      ),
    )
  })

  test('orders set the text and its length', () => {
    expect(textOf(ask({}, optionsWith({}, 'text=Yes; we can. Straße 😀')))).toBe('Yes; we can. Straße 😀')
    expect(ask({}, optionsWith({}, 'tokens=20')).outputTokens).toBe(20)
  })
})

describe('confidence', () => {
  test('is the geometric mean of the token probabilities', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0.05, max: 1, noNaN: true }), (text, confidence) => {
        const answer = ask({}, optionsWith({ behaviour: { ...BEHAVIOUR, confidence } }), text)
        const { logprobs } = first(answer)
        const mean = logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length
        expect(Math.exp(mean)).toBeCloseTo(answer.confidence, 9)
        expect(logprobs.every((logprob) => logprob <= 0)).toBe(true)
      }),
    )
  })

  test.each([0.5, 0.9])('varies from prompt to prompt around the configured %d', (confidence) => {
    const options = optionsWith({ behaviour: { ...BEHAVIOUR, confidence } })
    const values = Array.from(
      { length: 4_000 },
      (_, index) => ask({}, options, `question ${index}`).confidence,
    )
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(Math.abs(mean - confidence)).toBeLessThan(0.02)
    expect(new Set(values).size).toBeGreaterThan(3_900)
  })

  test('an order sets it exactly', () => {
    expect(ask({}, optionsWith({}, 'confidence=0.3')).confidence).toBe(0.3)
  })

  test('samples agree about as often as it is confident', () => {
    const texts = Array.from({ length: 400 }, (_, index) =>
      textOf(ask({}, optionsWith({ ordinal: index }, 'confidence=0.7'))),
    )
    const agreeing = texts.filter((text) => text === texts[0]).length / texts.length
    expect(agreeing).toBeGreaterThan(0.6)
    expect(agreeing).toBeLessThan(0.85)
    const cold = ask({ temperature: 0 }, optionsWith({ ordinal: 9 }, 'confidence=0.01'))
    expect(textOf(cold)).toBe(texts[0])
  })

  test('a judge answers with a bare number, which the limit and the seed decide', () => {
    const prompt = `Question: x\nAnswer: y\n${JUDGE_MARKER}\n`
    expect(textOf(ask({}, optionsWith(), prompt))).toMatch(/^(0\.\d\d|1\.00)$/)
    expect(textOf(ask({}, optionsWith({}, 'confidence=0.83'), prompt))).toBe('0.83')
  })
})

describe('tools', () => {
  test('with a choice left to it, it calls for some prompts and answers others', () => {
    const calling = Array.from({ length: 100 }, (_, index) =>
      ask({ tools: TOOLS }, optionsWith(), `order ${index}`),
    )
    const share = calling.filter((answer) => first(answer).finish === 'tool-calls').length
    expect(share).toBeGreaterThan(25)
    expect(share).toBeLessThan(75)
  })

  test('never when forbidden, never after a result, not even when required', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(first(ask({ tools: TOOLS, tool_choice: 'none' }, optionsWith(), text)).toolCalls).toEqual([])
        const messages = [
          { role: 'user', content: text },
          {
            role: 'assistant',
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'refund', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'c', content: 'done' },
        ]
        const answer = ask({ tools: TOOLS, tool_choice: 'required', messages })
        expect(first(answer).toolCalls).toEqual([])
        expect(first(answer).tokens.length).toBeGreaterThan(0)
      }),
    )
  })

  test('a named tool is called, alone, with arguments of its schema', () => {
    const choice = first(
      ask({ tools: TOOLS, tool_choice: { type: 'function', function: { name: 'refund' } } }),
    )
    expect(choice.toolCalls.map((call) => call.name)).toEqual(['refund'])
    const value: unknown = JSON.parse(choice.toolCalls[0]?.pieces.join('') ?? '')
    expect(value).toEqual({ id: expect.any(Number) })
    expect(first(ask({ tools: TOOLS }, optionsWith({}, 'tool=refund'))).toolCalls[0]?.name).toBe('refund')
  })

  test('sometimes two are called at once, with different ids, unless that is forbidden', () => {
    const both = askUntilToolCall({}, (choice) => choice.toolCalls.length === 2)
    expect(new Set(both.toolCalls.map((call) => call.id)).size).toBe(2)
    expect(() =>
      askUntilToolCall({ parallel_tool_calls: false }, (choice) => choice.toolCalls.length === 2),
    ).toThrow(/none of 200/)
  })

  test('the limit on tokens cuts calls too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (limit) => {
        const whole = ask({ tools: TOOLS, tool_choice: 'required' })
        const answer = ask({ tools: TOOLS, tool_choice: 'required', max_tokens: limit })
        expect(answer.outputTokens).toBe(Math.min(limit, whole.outputTokens))
        expect(first(answer).finish).toBe(limit < whole.outputTokens ? 'length' : 'tool-calls')
      }),
    )
  })
})

describe('both wires', () => {
  test('the same conversation has the same tokens and the same answer', () => {
    const tools = [{ name: 'refund', parameters: { type: 'object', properties: {} } }]
    const openai = parseOpenAiChat({
      model: 'm',
      max_tokens: 100,
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', function: { name: 'refund', arguments: '{"a": 1}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'refunded' },
        { role: 'user', content: 'Thanks' },
      ],
      tools: tools.map((tool) => ({ type: 'function', function: tool })),
    })
    const anthropic = parseAnthropicMessages(
      {
        model: 'm',
        max_tokens: 100,
        system: [{ type: 'text', text: 'Be kind.' }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image', source: {} },
            ],
          },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'refund', input: { a: 1 } }] },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: 'refunded' }] },
              { type: 'text', text: 'Thanks' },
            ],
          },
        ],
        tools: tools.map((tool) => ({ name: tool.name, input_schema: tool.parameters })),
      },
      { counting: false },
    )
    expect(anthropic.inputTokens).toBe(openai.inputTokens)
    expect(anthropic.digest).toBe(openai.digest)
    expect(simulateAnswer(anthropic, optionsWith())).toEqual(simulateAnswer(openai, optionsWith()))
  })

  test('input is counted by bytes of UTF-8, four to a token', () => {
    expect(countInputTokens({ textBytes: 0, images: 0 })).toBe(1)
    expect(countInputTokens({ textBytes: 9, images: 0 })).toBe(3)
    expect(parseOpenAiChat(chatBody({}, 'é'.repeat(8))).inputTokens).toBe(4)
  })
})
