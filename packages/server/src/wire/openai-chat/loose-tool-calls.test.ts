import { expect, test } from 'vitest'
import { LooseToolCalls, mendAnswer } from './loose-tool-calls.js'

interface Said {
  readonly index?: number
  readonly id?: string
  readonly function?: object
}
const call = (more: Said) => ({
  choices: [{ index: 0, delta: { tool_calls: [more] } }],
})
const START = { id: 'a', function: { name: 'f', arguments: '' } }
const OTHER = { id: 'b', function: { name: 'g', arguments: '' } }
const MORE = { function: { arguments: '{}' } }

const indexesOf = (calls: readonly Said[]) => {
  const loose = new LooseToolCalls()
  return calls.map((one) => {
    const mended = loose.mend(call(one)) as unknown as ReturnType<typeof call> | null
    return mended?.choices[0]?.delta.tool_calls[0]?.index ?? null
  })
}

test.each([
  [
    'right numbers',
    [
      { ...START, index: 0 },
      { ...MORE, index: 0 },
      { ...OTHER, index: 1 },
    ],
    [null, null, null],
  ],
  [
    'right numbers that begin elsewhere',
    [
      { ...START, index: 1 },
      { ...OTHER, index: 2 },
    ],
    [null, null],
  ],
  [
    'calls one after the other, all 0',
    [
      { ...START, index: 0 },
      { ...OTHER, index: 0 },
      { ...MORE, index: 0 },
    ],
    [null, 1, 1],
  ],
  ['no numbers', [START, MORE, OTHER, MORE], [0, 0, 1, 1]],
  [
    'an id that is repeated',
    [
      { ...START, index: 0 },
      { ...START, index: 0 },
    ],
    [null, null],
  ],
  [
    'no ids',
    [
      { index: 0, ...MORE },
      { index: 1, ...MORE },
    ],
    [null, null],
  ],
] as const)('%s are mended to %j', (_, calls, indexes) => {
  expect(indexesOf(calls)).toEqual(indexes)
})

test('each choice has numbers of its own', () => {
  const loose = new LooseToolCalls()
  const chunk = {
    choices: [0, 1].map((index) => ({ index, delta: { tool_calls: [{ ...START, index: 0 }] } })),
  }
  expect(loose.mend(chunk)).toBeNull()
})

test('arguments become text, in a stream and in a whole answer', () => {
  const args = { function: { name: 'f', arguments: { a: 1 } } }
  const text = { function: { name: 'f', arguments: '{"a":1}' } }
  expect(new LooseToolCalls().mend(call({ index: 0, ...args }))).toEqual(call({ index: 0, ...text }))
  const answer = (said: object) => ({ id: 'x', choices: [{ index: 0, message: { tool_calls: [said] } }] })
  expect(mendAnswer(answer(args))).toEqual(answer(text))
  expect(mendAnswer(answer(text))).toBeNull()
})

test.each([
  [null],
  [[]],
  [{}],
  [{ choices: 1 }],
  [{ choices: [null, { message: { tool_calls: [null, 1] } }] }],
])('%j is left alone', (body) => {
  expect(mendAnswer(body)).toBeNull()
})

test('only frames that may be loose are looked at', () => {
  const frame = (one: Said) => `data: ${JSON.stringify({ id: 'chatcmpl-1', ...call(one) })}\n\n`
  const loose = new LooseToolCalls()
  expect(loose.concerns('data: {"id":"chatcmpl-1","choices":[]}\n\n')).toBe(false)
  expect(loose.concerns(frame({ index: 0, ...MORE }))).toBe(false)
  expect(loose.concerns(frame({ index: 0, ...START }))).toBe(true)
  expect(loose.concerns(frame(MORE))).toBe(true)
  loose.mend(call(START))
  expect(loose.concerns(frame({ index: 0, ...MORE }))).toBe(true)
})
