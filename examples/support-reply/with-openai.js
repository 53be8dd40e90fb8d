// The same with the official OpenAI client: change the base URL, name the task. Usage: node with-openai.js
// [URL]

import OpenAI from 'openai'

const url = process.argv[2] ?? 'http://127.0.0.1:4100'
const openai = new OpenAI({
  baseURL: `${url}/v1`,
  // The SDK demands a key; a Spillway without tenants takes any from this machine.
  apiKey: process.env.SPILLWAY_KEY ?? 'none',
  defaultHeaders: { 'x-spillway-attributes': JSON.stringify({ account_tier: 'enterprise' }) },
})

const { data: reply, response } = await openai.chat.completions
  .create({
    model: 'support_reply',
    messages: [{ role: 'user', content: 'Where is my order? I paid ten days ago.' }],
    max_tokens: 80,
  })
  .withResponse()

console.log(`task      ${response.headers.get('x-spillway-task-id')}`)
console.log(
  `answered  ${response.headers.get('x-spillway-model')}, ${response.headers.get('x-spillway-route')}`,
)
console.log(`reply     ${reply.choices[0].message.content}`)
console.log(`cost      ${reply.spillway.cost_usd} USD`)
