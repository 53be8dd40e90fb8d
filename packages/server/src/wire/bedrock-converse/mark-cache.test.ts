import { expect, test } from 'vitest'
import { markConverseCache } from './mark-cache.js'

const POINT = { cachePoint: { type: 'default' } }
const ALL = { head: true, last: true }

function marked(body: unknown): unknown {
  const bytes = markConverseCache(Buffer.from(JSON.stringify(body)), ALL)
  return JSON.parse(Buffer.from(bytes).toString('utf8'))
}

const message = (text: string) => ({ role: 'user', content: [{ text }] })

test('instructions and the last message get a point of their own behind them', () => {
  const body = { messages: [message('a'), message('b')], system: [{ text: 's' }] }
  expect(marked(body)).toEqual({
    messages: [message('a'), { role: 'user', content: [{ text: 'b' }, POINT] }],
    system: [{ text: 's' }, POINT],
  })
})

test('without instructions the tools get it', () => {
  const tools = [{ toolSpec: { name: 't', inputSchema: { json: {} } } }]
  expect(marked({ messages: [], toolConfig: { tools, toolChoice: { auto: {} } } })).toEqual({
    messages: [],
    toolConfig: { tools: [...tools, POINT], toolChoice: { auto: {} } },
  })
})

test('a body that has a point, or nothing to mark, stays as it is', () => {
  for (const body of [{ system: [{ text: 's' }, POINT], messages: [] }, { messages: [] }]) {
    const bytes = Buffer.from(JSON.stringify(body))
    expect(markConverseCache(bytes, ALL)).toBe(bytes)
  }
})
