// Arbitrary conversations, requests and parts of the message model, for properties of the wire formats.

import fc from 'fast-check'
import {
  type Citation,
  type Message,
  type ModelRequest,
  NOT_ASKED,
  type Part,
} from '../core/model/message.js'

export const text = fc.string({ minLength: 1, unit: 'grapheme' })
export const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
export const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const argumentsJson = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }))
  .map((value) => JSON.stringify(JSON.parse(JSON.stringify(value))))
export const parameters = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'number') })),
})

export const textPart: fc.Arbitrary<Part> = fc.record({ kind: fc.constant('text' as const), text })
export const imagePart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('image' as const),
  source: fc.oneof(
    fc.record({
      kind: fc.constant('base64' as const),
      mediaType: fc.constantFrom('image/png', 'image/jpeg'),
      data: fc.base64String(),
    }),
    fc.record({ kind: fc.constant('url' as const), url: fc.constant('https://example.com/a.png') }),
  ),
})
export const marked = { cacheControl: fc.constant({ type: 'ephemeral' }) }
export const mark = (part: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc
    .tuple(part, fc.boolean())
    .map(([one, on]) => (on ? { ...one, cacheControl: { type: 'ephemeral' } } : one))
const pdf = fc.record({
  kind: fc.constant('base64' as const),
  mediaType: fc.constant('application/pdf'),
  data: fc.base64String(),
})
/** Of a PDF with its name: what OpenAI knows. */
export const filePart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('document' as const),
  source: pdf,
  title: name,
})
export const documentPart: fc.Arbitrary<Part> = fc.record(
  {
    kind: fc.constant('document' as const),
    source: fc.oneof(
      pdf,
      fc.record({ kind: fc.constant('text' as const), text }),
      fc.record({ kind: fc.constant('url' as const), url: fc.constant('https://example.com/a.pdf') }),
    ),
    title: name,
    cite: fc.constant(true),
  },
  { requiredKeys: ['kind', 'source'] },
)
const NOWHERE = { citedText: null, title: null, url: null, documentIndex: null, location: null, span: null }
const location = fc.record({
  unit: fc.constantFrom('char' as const, 'page' as const, 'block' as const),
  start: fc.nat(),
  end: fc.nat(),
})
export const ofDocument: fc.Arbitrary<Citation> = fc
  .record({ citedText: text, title: fc.option(name), documentIndex: fc.nat(), location })
  .map((one) => ({ ...NOWHERE, ...one }))
export const ofPage: fc.Arbitrary<Citation> = fc
  .record({ citedText: text, title: fc.option(name) })
  .map((one) => ({ ...NOWHERE, ...one, url: 'https://example.com/' }))
export const cited = (citation: fc.Arbitrary<Citation>): fc.Arbitrary<Part> =>
  fc
    .tuple(text, fc.array(citation, { minLength: 1, maxLength: 2 }))
    .map(([words, citations]) => ({ kind: 'text', text: words, citations }))
const token = fc.record({ token: text, logprob: fc.constantFrom(-0.5, 0, -12.25) })
export const logprobs = fc.array(
  fc.tuple(token, fc.array(token, { maxLength: 2 })).map(([one, top]) => ({ ...one, top })),
  { minLength: 1, maxLength: 3 },
)

export const callPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('tool-call' as const),
  id,
  name,
  argumentsJson,
})
export const resultPart = (isError: fc.Arbitrary<boolean>): fc.Arbitrary<Part> =>
  fc.record({
    kind: fc.constant('tool-result' as const),
    callId: id,
    content: fc.array(textPart, { maxLength: 2 }),
    isError,
  })
export const signedPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant('reasoning' as const), text, signature: text }),
  fc.record({ kind: fc.constant('reasoning' as const), text: fc.constant(''), redacted: text }),
)

export const joined = (...lists: readonly fc.Arbitrary<Part[]>[]) =>
  fc.tuple(...lists).map((parts) => parts.flat())
export const some = (part: fc.Arbitrary<Part>) => fc.array(part, { maxLength: 2 })

export function conversation(
  user: fc.Arbitrary<Part[]>,
  assistant: fc.Arbitrary<Part[]>,
): fc.Arbitrary<Message[]> {
  const turns = fc.array(fc.tuple(user, assistant), { maxLength: 3 })
  const system = fc.option(fc.array(textPart, { minLength: 1, maxLength: 2 }))
  return fc.tuple(system, turns, user).map(([first, middle, last]) => [
    ...(first === null ? [] : [{ role: 'system' as const, parts: first }]),
    ...middle.flatMap(([asked, answered]): Message[] => [
      { role: 'user', parts: asked },
      { role: 'assistant', parts: answered },
    ]),
    { role: 'user' as const, parts: last },
  ])
}

export function request(
  messages: fc.Arbitrary<Message[]>,
  more: {
    tool: fc.Arbitrary<ModelRequest['tools'][number]>
    json: fc.Arbitrary<ModelRequest['json']>
    asks: fc.Arbitrary<Partial<ModelRequest>>
  },
): fc.Arbitrary<ModelRequest> {
  const tools = fc.array(more.tool, { minLength: 1, maxLength: 2 })
  const chosen = fc.oneof(
    fc.constantFrom(...(['auto', 'required'] as const)).map((kind) => ({ kind })),
    name.map((one) => ({ kind: 'tool' as const, name: one })),
  )
  const plain = fc.record({
    model: name,
    messages,
    tools,
    toolChoice: chosen,
    parallelToolCalls: fc.option(fc.boolean()),
    maxOutputTokens: fc.integer({ min: 1, max: 9999 }),
    temperature: fc.option(fc.constantFrom(0, 0.25, 1)),
    topP: fc.option(fc.constantFrom(0.5, 1)),
    stop: fc.array(name, { maxLength: 4 }),
    stream: fc.boolean(),
    includeUsage: fc.constant(true),
    json: more.json,
    user: fc.option(name),
  })
  return fc.tuple(plain, more.asks).map(([one, asks]) => ({ ...NOT_ASKED, ...one, ...asks }))
}

export const toolFields = { name, parameters, description: text }
export const requiredKeys: ('name' | 'parameters')[] = ['name', 'parameters']
export const closed = parameters.map((schema) => ({ ...schema, additionalProperties: false }))
/** And names nothing that it does not require. */
export const complete = closed.map((schema) => ({ ...schema, required: Object.keys(schema.properties) }))
