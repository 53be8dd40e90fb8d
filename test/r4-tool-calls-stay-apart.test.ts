// R4, reported failures 45 to 48: two calls of tools at once arrive as two, with their own places and whole
// arguments, however loosely the server numbers or types them, and in the order that the format's clients need.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVERY_WAY, type Told, type Way, askOnce } from './support/caller-formats.js'
import { eventsOf } from './support/dialects.js'
import { chatStream, delta, isStream } from './support/vendors/answer-bytes.js'
import { json } from './support/vendors/front.js'
import { type Scripted, startScripted } from './support/vendors/scripted.js'

type Fields = Readonly<Record<string, unknown>>
type List = readonly Fields[]

const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 }
const CALLS = [
  { id: 'call_a', name: 'weather', args: { city: 'Bonn' } },
  { id: 'call_b', name: 'time', args: { zone: 'CET', seconds: true } },
] as const
/** Name and parsed arguments, as any caller must find them. */
const EXPECTED = CALLS.map(({ name, args }) => [name, args])

/** How servers number and type the same two calls. */
const ACCENTS = {
  'as OpenAI does': (index: number) => ({ index }),
  'all of them 0': () => ({ index: 0 }),
  'without an index': () => ({}),
} as const
const TYPED = { 'a string': JSON.stringify, 'an object': (args: object) => args } as const

const tool = (call: object) => delta({ tool_calls: [call] })

/** Each call in pieces: its name, then its arguments in two halves. */
function pieces(numbered: (index: number) => object): readonly object[] {
  const all = CALLS.flatMap(({ id, name, args }, index) => {
    const text = JSON.stringify(args)
    const place = numbered(index)
    return [
      tool({ ...place, id, type: 'function', function: { name, arguments: '' } }),
      tool({ ...place, function: { arguments: text.slice(0, 5) } }),
      tool({ ...place, function: { arguments: text.slice(5) } }),
    ]
  })
  return [
    delta({ role: 'assistant', content: null }),
    ...all,
    delta({}, 'tool_calls'),
    { choices: [], usage },
  ]
}

/** Each call in one piece, with its arguments as the server types them. */
function atOnce(typed: (args: object) => unknown): readonly object[] {
  const calls = CALLS.map(({ id, name, args }, index) =>
    tool({ index, id, type: 'function', function: { name, arguments: typed(args) } }),
  )
  return [...calls, delta({}, 'tool_calls'), { choices: [], usage }]
}

function whole(typed: (args: object) => unknown) {
  const tool_calls = CALLS.map(({ id, name, args }) => ({
    id,
    type: 'function',
    function: { name, arguments: typed(args) },
  }))
  const message = { role: 'assistant', content: null, tool_calls }
  const choices = [{ index: 0, message, finish_reason: 'tool_calls' }]
  return json(200, { id: 'chatcmpl-7', object: 'chat.completion', created: 1, model: 'm', choices, usage })
}

const NUMBERED = Object.entries(ACCENTS).map(([name, numbered]) => ({
  name: `numbered ${name}`,
  stream: pieces(numbered),
  body: whole(JSON.stringify),
}))
const ARGUMENTS = Object.entries(TYPED).map(([name, typed]) => ({
  name: `with arguments as ${name}`,
  stream: atOnce(typed),
  body: whole(typed),
}))
const SERVERS = [...NUMBERED, ...ARGUMENTS]
const CASES = SERVERS.flatMap((server) => EVERY_WAY.map((way) => ({ server, way })))

let vendors: Scripted
beforeAll(async () => {
  vendors = await startScripted(
    CASES.map(({ server: { stream, body } }) => ({
      vendor: 'vllm',
      answer: (_, call) => (isStream(call) ? chatStream(stream) : body),
    })),
  )
})
afterAll(() => vendors[Symbol.asyncDispose]())

describe.each(SERVERS)('$name', (server) => {
  test.concurrent.each(EVERY_WAY)('asked in $name', async (way) => {
    const index = CASES.findIndex((one) => one.server === server && one.way === way)
    const told = await askOnce(vendors, way, { contract: `alone${index}`, more: toolsIn(way) })
    expect(told.answer.status).toBe(200)
    expect(callsIn(told, way)).toEqual(EXPECTED)
    expect(!way.stream || way.format.ends.test(told.text)).toBe(true)
    expect(told.trace.steps.flatMap(({ attempts }) => attempts)).toMatchObject([
      { end: 'ok', basis: 'reported' },
    ])
  })
})

/** Both tools, as the caller's format declares them. */
function toolsIn({ format }: Way): Fields {
  const parameters = { type: 'object', properties: {} }
  const tools = CALLS.map(({ name }) => {
    if (format.name === 'messages') return { name, input_schema: parameters }
    if (format.name === 'responses') return { type: 'function', name, parameters, strict: false }
    return { type: 'function', function: { name, parameters } }
  })
  return { tools }
}

function callsIn({ answer }: Told, { format, stream }: Way): readonly unknown[] {
  if (stream) return STREAMED[format.name](eventsOf(String(answer.body)))
  return WHOLE[format.name](answer.body as Fields)
}

const parsed = (name: unknown, text: unknown) => [name, JSON.parse(text as string) as unknown]

const WHOLE = {
  chat({ choices }: Fields) {
    const message = (choices as List)[0]?.['message'] as { tool_calls: { function: Fields }[] }
    return message.tool_calls.map(({ function: { name, arguments: text } }) => parsed(name, text))
  },
  messages({ content }: Fields) {
    return (content as List).map(({ name, input }) => [name, input])
  },
  responses({ output }: Fields) {
    return (output as List).map(({ name, arguments: text }) => parsed(name, text))
  },
} as const

interface Open {
  name: unknown
  text: string
}

/** As strict clients put a stream together: by index alone, and with a type error where there is none. */
const STREAMED = {
  chat(events: List) {
    const open: Open[] = []
    const deltas = events
      .flatMap(({ choices }) => choices as List)
      .flatMap(
        ({ delta: said }) => ((said as Fields)['tool_calls'] ?? []) as { index: number; function: Fields }[],
      )
    for (const { index, function: said } of deltas) {
      const { name, arguments: text = '' } = said
      const call = (open[index] ??= { name, text: '' })
      // An index or a text that is none shows in what comes out.
      call.text += typeof text === 'string' ? text : 'no text'
    }
    return Object.entries(open).map(([at, { name, text }], place) =>
      at === String(place) ? parsed(name, text) : `at ${at}`,
    )
  },
  messages(events: List) {
    const open = new Map<unknown, Open>()
    const starts = events.flatMap(({ type }, at) => (type === 'message_start' ? [at] : []))
    if (starts.join() !== '0') return [`message_start at ${starts.join()}`]
    for (const { type, index, content_block: block, delta: said } of events) {
      if (type === 'content_block_start') open.set(index, { name: (block as Fields)['name'], text: '' })
      const call = open.get(index)
      if (type === 'content_block_delta' && call) call.text += String((said as Fields)['partial_json'])
    }
    return [...open.values()].map(({ name, text }) => parsed(name, text))
  },
  responses(events: List) {
    const open = new Map<unknown, Open>()
    for (const { type, output_index: index, item, delta: said } of events) {
      if (type === 'response.output_item.added') open.set(index, { name: (item as Fields)['name'], text: '' })
      const call = open.get(index)
      if (type === 'response.function_call_arguments.delta' && call) call.text += String(said)
    }
    return [...open.values()].map(({ name, text }) => parsed(name, text))
  },
} as const
