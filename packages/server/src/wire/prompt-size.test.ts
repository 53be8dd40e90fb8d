import { describe, expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { formatOf } from './formats.js'
import { imagesWorth } from './prompt-size.js'

const MB_IN_BASE64 = 'JVBERi0x'.repeat(174_000)
const pdf = (data: string): string => `data:application/pdf;base64,${data}`

function viewOf(wire: CallerWire, content: object) {
  const messages = [{ role: 'user', content: [content] }]
  const body = wire === 'openai-responses' ? { model: 'm', input: messages } : { model: 'm', messages }
  const view = formatOf(wire).view({ ...body, max_tokens: 9 })
  if (view.kind === 'invalid') throw new Error(JSON.stringify(view.problems))
  return view.value
}

const asDocument = (data: string) =>
  [
    ['openai-chat', { type: 'file', file: { filename: 'a.pdf', file_data: pdf(data) } }],
    ['openai-responses', { type: 'input_file', filename: 'a.pdf', file_data: pdf(data) }],
    [
      'anthropic-messages',
      { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data } },
    ],
  ] as const

describe('a document', () => {
  test.each(asDocument(MB_IN_BASE64))('%s: its data is no text, but pages', (wire, content) => {
    const view = viewOf(wire, content)
    expect(view.promptBytes).toBeLessThan(200)
    expect(view.documentPages).toBe(35)
    expect(imagesWorth(view)).toBe(70)
  })

  test.each(asDocument('JVBERi0='))('%s: a small one has a few pages', (wire, content) => {
    expect(viewOf(wire, content).documentPages).toBe(3)
  })

  test('that is text counts as such', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'x'.repeat(100) }
    expect(viewOf('anthropic-messages', { type: 'document', source })).toMatchObject({ documentPages: 0 })
    expect(viewOf('anthropic-messages', { type: 'document', source }).promptBytes).toBeGreaterThanOrEqual(100)
    const file_data = `data:text/plain;base64,${'x'.repeat(400)}`
    const view = viewOf('openai-chat', { type: 'file', file: { file_data } })
    expect(view.documentPages).toBe(0)
    expect(view.promptBytes).toBeGreaterThanOrEqual(300)
  })

  test('that is elsewhere is not taken for nothing', () => {
    const url = { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }
    expect(viewOf('anthropic-messages', url).documentPages).toBeGreaterThan(1)
    expect(viewOf('openai-responses', { type: 'input_file', file_id: 'f' }).documentPages).toBeGreaterThan(1)
  })
})
