// Our types -> a Converse request. The model is not in it: it is in the address. Where this format has no
// word for something that carries meaning, the problem names it. Messages of one role in a row become one,
// tool results first, because a result must directly follow its call.

import type { JsonObject } from '../../core/json.js'
import type { Message, ModelRequest } from '../../core/model/message.js'
import type { Parsed, Problem } from '../../core/parsed.js'
import { concluded } from '../fields.js'
import { type ContentContext, encodePart } from './encode-content.js'
import { DocumentNames } from './encode-document.js'
import { encodeTools } from './encode-tools.js'
import { traitsOf } from './model-traits.js'
import { thinkingOf } from './thinking.js'

const STOP_SEQUENCES_MAX = 2_500

export function encodeRequest(request: ModelRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  const { claude, caching, thoughts } = traitsOf(request.model)
  checkLimits(request, claude, problems)
  const context: ContentContext = { problems, caching, thoughts, names: new DocumentNames() }
  const { toolConfig, textFormat, forced } = encodeTools(request, problems)
  const thinking = thinkingOf(request, forced)
  const effort = thinking?.effort ?? null
  const body: JsonObject = {
    messages: encodeMessages(request.messages, context),
    ...some('system', encodeSystem(request.messages, context)),
    ...some('inferenceConfig', inferenceConfig(request)),
    ...toolConfig,
    ...some('outputConfig', {
      ...(textFormat === null ? {} : { textFormat }),
      ...(effort === null ? {} : { effort }),
    }),
    ...some('additionalModelRequestFields', {
      ...(thinking === null ? {} : { thinking: thinking.thinking }),
      ...topKFields(request),
    }),
    // Else a caller is not told which of its sequences it was.
    ...(claude && request.stop.length > 0 ? { additionalModelResponseFieldPaths: ['/stop_sequence'] } : {}),
  }
  return concluded(body, problems)
}

/** The member, unless it is empty. */
function some(name: string, value: JsonObject | readonly JsonObject[]): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [name]: value }
}

function checkLimits(request: ModelRequest, claude: boolean, problems: Problem[]): void {
  const { temperature, stop, topLogprobs, presencePenalty, frequencyPenalty } = request
  if (temperature !== null && temperature > 1) {
    problems.push({ at: 'temperature', message: 'must be at most 1 in the other format' })
  }
  const isBlank = (text: string): boolean => (claude ? text.trim() : text) === ''
  if (stop.some(isBlank) || stop.length > STOP_SEQUENCES_MAX) {
    const message = `must be at most ${STOP_SEQUENCES_MAX} sequences, none of white space, in the other format`
    problems.push({ at: 'stop', message })
  }
  const unknown = { top_logprobs: topLogprobs }
  const penalties = { presence_penalty: presencePenalty, frequency_penalty: frequencyPenalty }
  for (const [at, value] of Object.entries({ ...unknown, ...penalties })) {
    if (value === null || (value === 0 && at in penalties)) continue
    problems.push({ at, message: `cannot be expressed in the other format; leave \`${at}\` out` })
  }
}

function inferenceConfig({ maxOutputTokens, temperature, topP, stop }: ModelRequest): JsonObject {
  return {
    ...(maxOutputTokens === null ? {} : { maxTokens: maxOutputTokens }),
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { topP }),
    ...(stop.length === 0 ? {} : { stopSequences: stop }),
  }
}

/** Each maker has its own name for it. */
export function topKFields({ model, topK }: ModelRequest): JsonObject {
  if (topK === null) return {}
  const { claude, nova } = traitsOf(model)
  if (claude) return { top_k: topK }
  return nova ? { inferenceConfig: { topK } } : {}
}

function encodeSystem(messages: readonly Message[], context: ContentContext): readonly JsonObject[] {
  const blocks: JsonObject[] = []
  messages.forEach((message, index) => {
    const to = { at: `messages[${index}].content`, results: blocks, rest: blocks }
    if (message.role === 'system') encodeParts(message, to, context)
  })
  return blocks
}

interface Turn {
  readonly role: 'user' | 'assistant'
  /** Results of tools, which go first in what a user says. */
  readonly results: JsonObject[]
  readonly rest: JsonObject[]
}

interface Target extends Pick<Turn, 'results' | 'rest'> {
  /** Place of the parts. */
  readonly at: string
}

function encodeMessages(messages: readonly Message[], context: ContentContext): readonly JsonObject[] {
  const turns: Turn[] = []
  messages.forEach((message, index) => {
    const { role } = message
    if (role === 'system') return
    const last = turns.at(-1)
    const turn = last?.role === role ? last : { role, results: [], rest: [] }
    const { rest, results } = turn
    const at = `messages[${index}].content`
    encodeParts(message, { at, rest, results: role === 'user' ? results : rest }, context)
    // Content may not be empty here; a message that says nothing is left out.
    if (turn !== last && results.length + rest.length > 0) turns.push(turn)
  })
  checkTurns(turns, context.problems)
  return turns.map(({ role, results, rest }) => ({
    role,
    content: results.length === 0 ? rest : [...results, ...rest],
  }))
}

/** Adds the blocks of a message; a cache point stays behind its block. */
function encodeParts({ role, parts }: Message, to: Target, context: ContentContext): void {
  parts.forEach((part, index) => {
    const blocks = part.kind === 'tool-result' ? to.results : to.rest
    encodePart(part, { at: `${to.at}[${index}]`, role, blocks }, context)
  })
}

function checkTurns(turns: readonly Turn[], problems: Problem[]): void {
  if (turns[0]?.role !== 'user') {
    problems.push({ at: 'messages', message: 'must begin with what a user said in the other format' })
  }
  for (const { rest } of turns) {
    if (!rest.some((block) => 'document' in block) || rest.some((block) => 'text' in block)) continue
    problems.push({ at: 'messages', message: 'a document needs text beside it in the other format' })
  }
}
