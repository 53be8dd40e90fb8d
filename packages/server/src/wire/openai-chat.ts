// OpenAI's chat completions, as OpenAI, vLLM, Ollama and many others speak it.

import type { StreamScanner, WireFormat } from './format.js'
import { decodeAnswer, encodeAnswer, readAnswer } from './openai-chat/answer.js'
import { decodeRequest } from './openai-chat/decode-request.js'
import { decoder } from './openai-chat/decoder.js'
import { encodeRequest } from './openai-chat/encode-request.js'
import { encoder } from './openai-chat/encoder.js'
import { leavesOut } from './openai-chat/leaves-out.js'
import { mendAnswer } from './openai-chat/loose-tool-calls.js'
import { patch } from './openai-chat/patch.js'
import { places } from './openai-chat/places.js'
import { OpenAiChatScanner } from './openai-chat/scanner.js'
import { unsaid } from './openai-chat/unsaid.js'
import { view } from './openai-chat/view.js'
import { encodeError, errorFrame } from './openai-errors.js'
import { readError } from './read-error.js'
import { callerSide } from './scan-frames.js'
import { dataFrame } from './sse.js'
import { encodeOpenAiUsage } from './usage.js'

export const openAiChat: WireFormat = {
  wire: 'openai-chat',
  view,
  patch,
  // It carries none.
  withoutForeignProofs: () => null,
  decodeRequest,
  places,
  unsaid,
  encodeRequest,
  leavesOut,
  readAnswer,
  decodeAnswer,
  mendAnswer,
  encodeAnswer,
  scanner: (options) => new OpenAiChatScanner(options),
  decoder,
  encoder,
  cutFrames,
  readError,
  encodeError,
  errorFrame,
}

function cutFrames(scanner: StreamScanner): string {
  const passed = callerSide(scanner)
  const ours = passed instanceof OpenAiChatScanner ? passed : null
  const identity = ours?.identity() ?? { object: 'chat.completion.chunk' }
  const finish = { ...identity, choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'length' }] }
  const { usage } = scanner.facts
  if (ours?.keepUsage !== true) return dataFrame(JSON.stringify(finish)) + dataFrame('[DONE]')
  const last = { ...identity, choices: [], usage: usage === null ? null : encodeOpenAiUsage(usage.tokens) }
  const usageFrame = usage === null ? '' : dataFrame(JSON.stringify(last))
  return dataFrame(JSON.stringify({ ...finish, usage: null })) + usageFrame + dataFrame('[DONE]')
}
