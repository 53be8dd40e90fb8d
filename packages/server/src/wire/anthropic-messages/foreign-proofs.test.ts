import { expect, test } from 'vitest'
import { withoutForeignProofs } from './foreign-proofs.js'

const own = (json: unknown) => withoutForeignProofs({ json, body: Buffer.from(JSON.stringify(json)) })
const asked = { role: 'user', content: 'Hi' }
const signed = (signature: string) => ({ type: 'thinking', thinking: 'Hm.', signature })
const said = { type: 'text', text: 'Yes.' }

test('thoughts of others, and those that nothing proves, are left out of a body that stays as it is', () => {
  const foreign = [
    signed('gemini:CiQ'),
    signed('openai:rs_1:gAAA'),
    signed(''),
    { type: 'redacted_thinking', data: 'openai:rs_2:gAAA' },
  ]
  for (const block of foreign) {
    const messages = [asked, { role: 'assistant', content: [signed('EqQB'), block, said] }, asked]
    expect(own({ messages })).toEqual([asked, { role: 'assistant', content: [signed('EqQB'), said] }, asked])
  }
})

test('a message of nothing else goes', () => {
  expect(own({ messages: [asked, { role: 'assistant', content: [signed('gemini:CiQ')] }, asked] })).toEqual([
    asked,
    asked,
  ])
})

test('where there is none, nothing is changed, whatever the words', () => {
  const words = { type: 'text', text: 'It began with "gemini: and "signature":""' }
  for (const content of [[signed('EqQB'), said], [words], 'gemini:x']) {
    expect(own({ messages: [asked, { role: 'assistant', content }] })).toBeNull()
  }
  for (const json of [null, 3, {}, { messages: 'gemini:' }]) expect(own(json)).toBeNull()
})
