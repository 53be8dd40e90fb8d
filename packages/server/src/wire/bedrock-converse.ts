// AWS Bedrock's Converse and ConverseStream: one format for all models there. No caller speaks it.

import { decodeAnswer, readAnswer } from './bedrock-converse/answer.js'
import { encodeRequest } from './bedrock-converse/encode-request.js'
import { leavesOut } from './bedrock-converse/leaves-out.js'
import { readError } from './bedrock-converse/read-error.js'
import { ConverseScanner, decoder } from './bedrock-converse/scanner.js'
import type { ProviderFormat } from './format.js'

export const bedrockConverse: ProviderFormat = {
  wire: 'bedrock-converse',
  encodeRequest,
  leavesOut,
  readAnswer,
  decodeAnswer,
  scanner: (options) => new ConverseScanner(options),
  decoder,
  readError,
}
