// One task over four approaches. Usage: node claim.js [URL]

import { createClient } from '@spillway/client'

const baseUrl = process.argv[2] ?? 'http://127.0.0.1:4100'
const apiKey = process.env.SPILLWAY_KEY
const spillway = createClient({ baseUrl, ...(apiKey && { apiKey }) })

const { value: id, outcome } = await spillway.task('claim', {}, async (t) => {
  const ask = async (content, { model, ...options } = {}) => {
    const body = { messages: [{ role: 'user', content }], ...(model && { model }) }
    const { spillway: facts } = await t.chat(body, options)
    console.log(`${facts.model.padEnd(6)} ${facts.route}, ${facts.cost_usd} USD: ${content}`)
  }
  await ask('Is this a claim?', { model: 'micro' })
  await ask('What is damaged?')
  // The words in brackets make the simulated server unsure.
  await ask('Are we liable? [[sim:confidence=0.4]]')
  await ask('Draft the reply.')
  return t.id
})

console.log(`bill   ${outcome?.cost_usd} USD: npx spillway trace ${id}`)
