// Tickets sorted on the device where that is easy, on the server where it is not. Usage: node triage.js [URL]
//
// The "model" is a list of words, so that the example runs anywhere. In a page put `browserLanguageModel()` in
// its place, or a function that calls WebLLM or transformers.js.

import { createClient, fromRunner } from '@spillway/client'

const TOPICS = { delivery: ['parcel', 'order', 'delivery'], payment: ['invoice', 'refund', 'paid'] }

const words = fromRunner('word-list', ({ messages }) => {
  const text = messages.at(-1).content.toLowerCase()
  const hits = Object.entries(TOPICS).map(([topic, found]) => [
    topic,
    found.filter((word) => text.includes(word)).length,
  ])
  const [[topic, best], [, second]] = hits.sort(([, a], [, b]) => b - a)
  return { text: topic, confidence: best === 0 ? 0 : 1 - second / best }
})

const baseUrl = process.argv[2] ?? 'http://127.0.0.1:4100'
const apiKey = process.env.SPILLWAY_KEY
const onDevice = { runner: words, minConfidence: 0.8 }
const spillway = createClient({ baseUrl, onDevice, ...(apiKey && { apiKey }) })

const tickets = ['Where is my parcel? The order is ten days old.', 'I paid for an order, what now?', 'Hello?']

const { value: id, outcome } = await spillway.task('support_reply', {}, async (t) => {
  const topics = []
  for (const ticket of tickets) {
    const messages = [
      { role: 'system', content: 'Say in one word what this is about: delivery, payment or other.' },
      { role: 'user', content: ticket },
    ]
    const { text, spillway: facts } = await t.chat({ messages, max_tokens: 5 }, { onDevice: true })
    console.log(`${facts.on_device.padEnd(9)} ${facts.model}, ${facts.cost_usd} USD: ${ticket}`)
    topics.push(text)
  }
  t.succeed({ output: topics })
  return t.id
})

console.log(`bill      ${outcome?.cost_usd} USD: npx spillway trace ${id}`)
