// The bytes for one deployment. Same format: the caller's bytes with a few members spliced. Another format:
// decoded, encoded, and refused by field name when the target cannot say it.

import { jsonBytes } from '../json-bytes.js'
import { isObject, type JsonObject } from '../../core/json.js'
import type { Parsed } from '../../core/parsed.js'
import { invalid, parsed } from '../../core/parsed.js'
import type { Deployment, ProviderConfig, Wire } from '../../core/release/release.js'
import type { RequestChanges } from '../../wire/format.js'
import { vertexBody } from '../../wire/anthropic-messages/vertex-body.js'
import { decodeEmbeddingsRequest } from '../../wire/embeddings.js'
import { embeddingsFormatOf, providerFormatOf } from '../../wire/formats.js'
import { inCallersTerms } from '../../wire/caller-place.js'
import { droppedHints } from '../../wire/dropped-hints.js'
import { mayAskForThoughts } from '../../wire/openai-responses/ask-for-thoughts.js'
import { ENCRYPTED_REASONING } from '../../wire/openai-responses/fields.js'
import { withoutForeignProofs } from '../../wire/openai-responses/history.js'
import { type Step, decide } from '../step-context.js'
import { type CacheAsking, withMarks } from './ask-to-cache.js'

/** Formats that tell log probabilities when asked. */
const TELL_LOGPROBS: ReadonlySet<Wire> = new Set(['openai-chat', 'openai-responses', 'gemini'])

export function tellsLogprobs(wire: Wire): boolean {
  return TELL_LOGPROBS.has(wire)
}

export interface BodyAsk {
  readonly deployment: Deployment
  readonly provider: ProviderConfig
  readonly wire: Wire
  /** Per choice; null leaves the caller's own limit (or none) in place. */
  readonly outputTokens: number | null
  readonly logprobs: boolean
  /** How the provider is asked to keep the prompt. */
  readonly caching: CacheAsking | null
}

export function prepareBody(step: Step, ask: BodyAsk): Parsed<Uint8Array> {
  if (ask.wire === step.call.wire) return parsed(forPlace(step, ask, sameWire(step, ask)))
  if (step.call.wire === 'openai-embeddings') return embeddingsBody(step, ask)
  const request = step.format.decodeRequest(step.request.json)
  if (request.kind === 'invalid') return request
  const outputTokens = ask.outputTokens ?? request.value.maxOutputTokens ?? ask.deployment.maxOutputTokens
  const sent = {
    ...request.value,
    model: ask.deployment.model,
    maxOutputTokens: outputTokens,
    includeUsage: true,
    ...(ask.logprobs ? { topLogprobs: request.value.topLogprobs ?? 0 } : {}),
  }
  const encoded = providerFormatOf(ask.wire).encodeRequest(sent)
  if (encoded.kind === 'invalid') {
    const places = step.format.places(step.request.json)
    return { kind: 'invalid', problems: inCallersTerms(encoded.problems, places) }
  }
  const { wire: from } = step.call
  const dropped = droppedHints({ body: step.request.json, request: sent, from, to: ask.wire })
  if (dropped.length > 0) {
    decide(step, {
      stage: 'attempt',
      choice: 'drop hints',
      reason: `${ask.wire} has no ${dropped.join(', ')}`,
    })
  }
  const own = ask.wire === 'openai-chat' ? forOpenAi(encoded.value, ask) : encoded.value
  const body = ask.caching?.kind === 'key' ? { ...own, prompt_cache_key: ask.caching.key } : own
  return parsed(forPlace(step, ask, jsonBytes(body)))
}

function embeddingsBody(step: Step, ask: BodyAsk): Parsed<Uint8Array> {
  const format = embeddingsFormatOf(ask.wire)
  if (format === null) return invalid('model', 'This deployment has no embeddings.')
  const request = decodeEmbeddingsRequest(step.request.json)
  if (request.kind === 'invalid') return request
  const encoded = format.encodeEmbeddings({ ...request.value, model: ask.deployment.model })
  return encoded.kind === 'invalid' ? encoded : parsed(jsonBytes(encoded.value))
}

/** Vertex serves Claude with the same format in another envelope. */
function forPlace(step: Step, ask: BodyAsk, plain: Uint8Array): Uint8Array {
  const { caching, wire } = ask
  const body = caching?.kind === 'marks' ? withMarks(step, plain, { marks: caching.marks, wire }) : plain
  if (ask.provider.kind !== 'vertex' || ask.wire !== 'anthropic-messages') return body
  const betas = ask.wire === step.call.wire ? step.call.upstreamHeaders['anthropic-beta'] : undefined
  return vertexBody(body, betas === undefined ? [] : betas.split(',').map((name) => name.trim()))
}

function sameWire(step: Step, ask: BodyAsk): Uint8Array {
  const { view, body } = step.request
  const isChat = step.call.wire === 'openai-chat'
  const changes: { -readonly [K in keyof RequestChanges]: RequestChanges[K] } = {}
  if (view.model !== ask.deployment.model) changes.model = ask.deployment.model
  if (ask.outputTokens !== null && ask.outputTokens !== view.maxOutputTokens) {
    changes.maxOutputTokens = ask.outputTokens
    changes.maxTokensKey = limitKey(ask.provider)
  }
  if (isChat && view.stream && !view.includeUsage) changes.includeUsage = true
  if (ask.logprobs && !view.wantsLogprobs) changes.logprobs = true
  if (ask.caching?.kind === 'key') changes.promptCacheKey = ask.caching.key
  if (step.call.wire === 'openai-responses') Object.assign(changes, responsesChanges(step, ask))
  else {
    const own = step.format.withoutForeignProofs(step.request)
    if (own !== null) changes.messages = own
  }
  if (changes.messages !== undefined) {
    const reason = 'thoughts of another provider would be refused'
    decide(step, { stage: 'attempt', choice: 'drop hints', reason })
  }
  return isEmpty(changes) ? body : step.format.patch(body, changes)
}

/**
 * The provider keeps nothing and cannot read what others thought. Its own thoughts are asked for where the
 * answer is kept here: the next turn shows them to it again.
 */
function responsesChanges({ call, request }: Step, { deployment }: BodyAsk): RequestChanges {
  const json = isObject(request.json) ? request.json : {}
  const { thoughts } = call
  const isForeign =
    thoughts === undefined
      ? undefined
      : (id: string) => (thoughts.get(id) ?? deployment.provider) !== deployment.provider
  const messages = withoutForeignProofs(request, isForeign)
  const asks = call.keeps !== undefined && mayAskForThoughts(deployment.model, json)
  const include: unknown = json['include']
  const isAsked = Array.isArray(include) && include.includes(ENCRYPTED_REASONING)
  return {
    ...(json['store'] === false ? {} : { store: false }),
    ...(messages === null ? {} : { messages }),
    ...(asks && !isAsked ? { encryptedThoughts: true } : {}),
  }
}

/** What the shared message model does not say: the name this provider has for the limit. */
function forOpenAi(body: JsonObject, ask: BodyAsk): JsonObject {
  const { max_tokens: limit, ...rest } = body
  return limit === undefined ? rest : { ...rest, [limitKey(ask.provider)]: limit }
}

function isEmpty(changes: RequestChanges): boolean {
  for (const _ in changes) return false
  return true
}

/** From here on Azure knows OpenAI's newer name. */
const AZURE_RENAMED = '2024-09-01'

/** OpenAI's newer models refuse `max_tokens`; servers that only imitate its API mostly know no other. */
function limitKey(provider: ProviderConfig): 'max_tokens' | 'max_completion_tokens' {
  const isDatedBefore = provider.kind === 'azure' && provider.apiVersion < AZURE_RENAMED
  const isNew = provider.kind === 'openai' || (provider.kind === 'azure' && !isDatedBefore)
  return isNew ? 'max_completion_tokens' : 'max_tokens'
}
