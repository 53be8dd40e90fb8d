// OpenAI's Responses API. What it keeps between calls (`previous_response_id`, `store`) is not decided here:
// a body's earlier turns are in its input before it is read (`openai-responses/history.ts` puts them there).

import type { StreamScanner, WireFormat } from './format.js'
import { encodeError } from './openai-errors.js'
import { decodeAnswer, encodeAnswer, readAnswer } from './openai-responses/answer.js'
import { decodeRequest } from './openai-responses/decode-request.js'
import { decoder } from './openai-responses/decoder.js'
import { encodeRequest, leavesOut } from './openai-responses/encode-request.js'
import { encoder } from './openai-responses/encoder.js'
import { errorFrame } from './openai-responses/errors.js'
import { withoutForeignProofs } from './openai-responses/history.js'
import { patch } from './openai-responses/patch.js'
import { places } from './openai-responses/places.js'
import { ResponsesScanner } from './openai-responses/scanner.js'
import { unsaid } from './openai-responses/unsaid.js'
import { view } from './openai-responses/view.js'
import { readError } from './read-error.js'
import { callerSide } from './scan-frames.js'
import { encodeResponsesUsage } from './usage.js'

export const openAiResponses: WireFormat = {
  wire: 'openai-responses',
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
  scanner: (options) => new ResponsesScanner(options),
  decoder,
  encoder,
  cutFrames,
  readError,
  encodeError,
  errorFrame,
}

function cutFrames(scanner: StreamScanner): string {
  const passed = callerSide(scanner)
  const ours = passed instanceof ResponsesScanner ? passed : null
  if (ours === null || ours.response === null) return emptyResponse()
  if (ours.cut !== null) return ours.cut.frames
  const { stream, response } = ours
  const { usage } = scanner.facts
  const done = stream.closeAll('incomplete')
  const cut = {
    ...response,
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: stream.output(),
    usage: usage === null ? null : encodeResponsesUsage(usage.tokens),
  }
  ours.cut = { frames: done + stream.frame('response.incomplete', { response: cut }), response: cut }
  return ours.cut.frames
}

/** Cut before anything came: still a whole response. */
function emptyResponse(): string {
  const cut = encoder({ model: '', createdSeconds: 0 })
  return (
    cut.encode({ kind: 'finish', reason: 'length', raw: null, stopSequence: null }) +
    cut.encode({ kind: 'end' })
  )
}
