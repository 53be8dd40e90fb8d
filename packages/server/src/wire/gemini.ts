// Gemini's generateContent and streamGenerateContent, on AI Studio and on Vertex. No caller speaks it. The
// model and whether to stream are in the address, not in the body. A stream has no end marker: it is whole
// when a finish reason was seen and the body ended.

import type { ProviderFormat } from './format.js'
import { decodeAnswer, readAnswer } from './gemini/answer.js'
import { decoder } from './gemini/decoder.js'
import { encodeRequest } from './gemini/encode-request.js'
import { readError } from './gemini/errors.js'
import { leavesOut } from './gemini/leaves-out.js'
import { GeminiScanner } from './gemini/scanner.js'

export const gemini: ProviderFormat = {
  wire: 'gemini',
  encodeRequest,
  leavesOut,
  readAnswer,
  decodeAnswer,
  scanner: (options) => new GeminiScanner(options),
  decoder,
  readError,
}
