// Answers an OpenAI embeddings request from a local model.

import { toBase64 } from '../simulated/embed-text.js'
import type { ModelRunner } from './model-runner.js'
import type { OnDeviceCall } from './on-device-call.js'
import { contextOverflow, unsupported } from './openai-error.js'
import type { EmbeddingAsk } from './read-embedding.js'

export async function answerEmbeddings(
  call: OnDeviceCall,
  runner: ModelRunner,
  { ask, model }: { readonly ask: EmbeddingAsk; readonly model: string },
): Promise<void> {
  const { contextTokens } = runner
  const inputs = ask.inputs.map((input) => runner.textTokens(input))
  const longest = Math.max(...inputs.map(({ length }) => length))
  if (longest >= contextTokens)
    return call.refuse(contextOverflow('input', { tokens: longest, contextTokens }))
  const data: object[] = []
  for (const [index, tokens] of inputs.entries()) {
    const vector = await runner.embed(tokens)
    if (call.signal.aborted) return
    if (ask.dimensions !== null && ask.dimensions !== vector.length) {
      const message = `'dimensions' must be ${vector.length}: the model has no other.`
      return call.refuse(unsupported('dimensions', message))
    }
    data.push({ object: 'embedding', index, embedding: ask.base64 ? toBase64(vector) : [...vector] })
  }
  const tokens = inputs.reduce((sum, { length }) => sum + length, 0)
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  call.head(200, { 'content-type': 'application/json' })
  call.data(JSON.stringify({ object: 'list', data, model, usage }))
  call.end()
}
