import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { markCache } from './mark-cache.js'

const MARK = { cache_control: { type: 'ephemeral' } }
const ALL = { head: true, last: true }

function marked(body: unknown, marks = ALL): unknown {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return JSON.parse(Buffer.from(markCache(Buffer.from(text), marks)).toString('utf8'))
}

const text = (words: string) => ({ type: 'text', text: words })

describe('markCache', () => {
  test('instructions and the last message become blocks with a mark', () => {
    const body = { model: 'm', system: 'Be "brief".', messages: [{ role: 'user', content: 'Hi\n' }] }
    expect(marked(body)).toEqual({
      model: 'm',
      system: [{ ...text('Be "brief".'), ...MARK }],
      messages: [{ role: 'user', content: [{ ...text('Hi\n'), ...MARK }] }],
    })
  })

  test('of blocks the last is marked, and only what was asked for', () => {
    const body = {
      system: [text('a'), text('b')],
      messages: [
        { role: 'user', content: [text('c')] },
        { content: [text('d'), { type: 'tool_result', tool_use_id: 't', content: 'x' }], role: 'user' },
      ],
    }
    expect(marked(body, { head: true, last: false })).toEqual({
      ...body,
      system: [text('a'), { ...text('b'), ...MARK }],
    })
    expect(marked(body, { head: false, last: true })).toMatchObject({
      messages: [{ content: [text('c')] }, { content: [text('d'), MARK] }],
    })
  })

  test('without instructions the tools are marked', () => {
    const body = {
      tools: [
        { name: 'a', input_schema: {} },
        { name: 'b', input_schema: {} },
      ],
      messages: [],
    }
    expect(marked(body)).toEqual({ ...body, tools: [body.tools[0], { ...body.tools[1], ...MARK }] })
  })

  test('a body that has a mark stays as it is, the same bytes', () => {
    const own = Buffer.from(JSON.stringify({ system: [{ ...text('a'), ...MARK }], messages: [] }))
    expect(markCache(own, ALL)).toBe(own)
  })

  test.each([
    ['an empty text', { messages: [{ role: 'user', content: '' }] }],
    ['a text of white space', { messages: [{ role: 'user', content: [text(' ')] }] }],
    ['a thought', { messages: [{ role: 'assistant', content: [{ type: 'thinking', thinking: 'x' }] }] }],
    ['no messages', { messages: [] }],
    ['messages that are none', { messages: ['x'] }],
    ['no content', { messages: [{ role: 'user' }] }],
    ['an empty object', { tools: [{}] }],
  ])('%s cannot be marked', (_what, body) => {
    const bytes = Buffer.from(JSON.stringify(body))
    expect(markCache(bytes, ALL)).toBe(bytes)
  })

  test('a key that is there twice is left alone', () => {
    const bytes = Buffer.from('{"system":"a","system":"b","messages":[]}')
    expect(markCache(bytes, ALL)).toBe(bytes)
  })

  test('whatever is said, without the marks it is what it was', () => {
    const block = fc.oneof(fc.string(), fc.array(fc.string({ minLength: 1 }).map(text), { maxLength: 3 }))
    const message = fc.record({ role: fc.constant('user'), content: block })
    const body = fc.record({
      system: block,
      messages: fc.array(message, { maxLength: 4 }),
      note: fc.jsonValue(),
    })
    fc.assert(
      fc.property(body, fc.boolean(), (given, spaced) => {
        const bytes = JSON.stringify(given, null, spaced ? 2 : 0)
        expect(plain(marked(bytes))).toEqual(plain(JSON.parse(bytes)))
      }),
    )
  })
})

/** Texts as blocks, and no marks. */
function plain(body: unknown): unknown {
  const { system, messages, ...rest } = body as { system: unknown; messages: { content: unknown }[] }
  return {
    ...rest,
    system: blocks(system),
    messages: messages.map((each) => ({ ...each, content: blocks(each.content) })),
  }
}

function blocks(content: unknown): unknown {
  if (typeof content === 'string') return content === '' ? '' : [text(content)]
  return (content as { type: string; text: string }[]).map(({ type, text: words }) => ({ type, text: words }))
}
