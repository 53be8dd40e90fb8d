// Anthropic's Messages API.

import { decodeAnswer, encodeAnswer, readAnswer } from './anthropic-messages/answer.js'
import { decodeRequest } from './anthropic-messages/decode-request.js'
import { decoder } from './anthropic-messages/decoder.js'
import { encodeRequest } from './anthropic-messages/encode-request.js'
import { encoder, frame } from './anthropic-messages/encoder.js'
import { encodeError, errorFrame } from './anthropic-messages/errors.js'
import { withoutForeignProofs } from './anthropic-messages/foreign-proofs.js'
import { leavesOut } from './anthropic-messages/leaves-out.js'
import { patch } from './anthropic-messages/patch.js'
import { places } from './anthropic-messages/places.js'
import { AnthropicScanner } from './anthropic-messages/scanner.js'
import { unsaid } from './anthropic-messages/unsaid.js'
import { view } from './anthropic-messages/view.js'
import type { StreamScanner, WireFormat } from './format.js'
import { readError } from './read-error.js'
import { callerSide } from './scan-frames.js'
import { encodeAnthropicUsage } from './usage.js'

export const anthropicMessages: WireFormat = {
  wire: 'anthropic-messages',
  view,
  patch,
  withoutForeignProofs,
  decodeRequest,
  places,
  unsaid,
  encodeRequest,
  leavesOut,
  readAnswer,
  decodeAnswer,
  encodeAnswer,
  scanner: (options) => new AnthropicScanner(options),
  decoder,
  encoder,
  cutFrames,
  readError,
  encodeError,
  errorFrame,
}

function cutFrames(scanner: StreamScanner): string {
  const passed = callerSide(scanner)
  const ours = passed instanceof AnthropicScanner ? passed : null
  const { usage, deltas } = scanner.facts
  if (ours?.started !== true) return emptyMessage()
  const stopped = ours.openBlock === null ? '' : frame('content_block_stop', { index: ours.openBlock })
  const counted = usage === null ? { output_tokens: deltas } : encodeAnthropicUsage(usage.tokens)
  const delta = { stop_reason: 'max_tokens', stop_sequence: null }
  return stopped + frame('message_delta', { delta, usage: counted }) + frame('message_stop', {})
}

/** Cut before anything came: still a whole message. */
function emptyMessage(): string {
  const cut = encoder({ model: '' })
  return (
    cut.encode({ kind: 'finish', reason: 'length', raw: null, stopSequence: null }) +
    cut.encode({ kind: 'end' })
  )
}
