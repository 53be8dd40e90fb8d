// A support reply as one task: a tool of ours, a model call, and an outcome. Usage: node with-client.js [URL]

import { createClient } from '@spillway/client'

const baseUrl = process.argv[2] ?? 'http://127.0.0.1:4100'
const apiKey = process.env.SPILLWAY_KEY
const spillway = createClient({ baseUrl, ...(apiKey && { apiKey }) })

const question = 'Where is my order? I paid ten days ago.'
const orders = new Map([[4711, { id: 4711, status: 'handed to the carrier', days: 9 }]])

const { value, outcome } = await spillway.task(
  'support_reply',
  { attributes: { account_tier: 'enterprise' }, externalId: 'ticket-17' },
  async (t) => {
    const order = await t.tool('find_order', { id: 4711 }, () => orders.get(4711))
    const { text, spillway: facts } = await t.chat({
      messages: [
        {
          role: 'system',
          content: `Answer the customer in two sentences. The order: ${JSON.stringify(order)}.`,
        },
        { role: 'user', content: question },
      ],
      max_tokens: 80,
    })
    console.log(`task      ${t.id}`)
    console.log(`answered  ${facts.model} by route "${facts.route}"${facts.simulated ? ' (simulated)' : ''}`)
    console.log(`left      ${t.remaining().model_calls} model calls, ${t.remaining().cost_usd} USD`)
    t.succeed({ output: text, evidence: [`order ${order.id}`] })
    return text
  },
)

console.log(`reply     ${value}`)
console.log(`outcome   ${outcome?.success ? 'success' : 'no success'}, cost ${outcome?.cost_usd} USD`)
