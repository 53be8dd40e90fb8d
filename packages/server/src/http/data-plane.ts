// The model routes: what is hot here stays out of any framework. Parses a request, hands it to the engine,
// and turns whatever goes wrong before that into the caller's own error format.

import type { IncomingHttpHeaders } from 'node:http'
import {
  PRIORITIES,
  type Priority,
  REQUEST_HEADERS,
  RESPONSE_HEADERS,
  parseAttributes,
} from '@spillway/protocol'
import { type CallerWire, NO_CEILINGS, type Tenant } from '../core/release/release.js'
import type { Problem } from '../core/parsed.js'
import { sendRefusal } from '../engine/answer/send-refusal.js'
import { callModel } from '../engine/call-model.js'
import type { Engine } from '../engine/engine.js'
import { NO_FACTS } from '../engine/open-task.js'
import { type Refusal, refused } from '../engine/refusal.js'
import type { KeptTurn, ModelCall } from '../engine/step-context.js'
import type { RequestView } from '../wire/format.js'
import { formatOf } from '../wire/formats.js'
import type { Authenticator } from './authenticate.js'
import type { Caller } from '../engine/ports.js'
import { findJsonFault } from './json-error.js'
import type { Body } from './read-body.js'
import type { Idempotency } from './idempotency.js'
import { RecordingCaller } from './recording-caller.js'
import { resumeConversation } from './resume-conversation.js'
import { textHeader } from './text-header.js'

export interface DataPlane {
  readonly engine: Engine
  authenticator(): Authenticator
  readonly idempotency: Idempotency
}

const ROUTES: ReadonlyMap<string, CallerWire> = new Map([
  ['/v1/chat/completions', 'openai-chat'],
  ['/v1/responses', 'openai-responses'],
  ['/v1/messages', 'anthropic-messages'],
  ['/v1/embeddings', 'openai-embeddings'],
  ['/openai/v1/chat/completions', 'openai-chat'],
  ['/openai/v1/responses', 'openai-responses'],
  ['/openai/v1/embeddings', 'openai-embeddings'],
  ['/anthropic/v1/messages', 'anthropic-messages'],
])

/** The format of a model route, or undefined for everything that is not one. */
export function modelRoute(method: string | undefined, url: string | undefined): CallerWire | undefined {
  if (method !== 'POST' || url === undefined) return undefined
  const query = url.indexOf('?')
  return ROUTES.get(query === -1 ? url : url.slice(0, query))
}

/** Of the release that serves now. */
export function maxBodyBytesOf({ engine }: DataPlane): number {
  return engine.release().server.maxBodyBytes
}

/** A request for a model, however its connection is read. */
export interface ModelExchange {
  readonly headers: IncomingHttpHeaders
  readonly remoteAddress: string | undefined
  readonly body: Body | Promise<Body>
  readonly caller: Caller
}

export async function serveModelCall(
  plane: DataPlane,
  wire: CallerWire,
  exchange: ModelExchange,
): Promise<void> {
  const { caller } = exchange
  const { engine } = plane
  const requestId = textHeader(exchange, REQUEST_HEADERS.requestId) ?? engine.system.newId('message')
  const tenant = plane.authenticator().authenticate(exchange.headers, exchange.remoteAddress)
  const turnAway = (refusal: Refusal, who: Tenant = NOBODY) =>
    sendRefusal(engine, { ...EMPTY_CALL, wire, requestId, tenant: who }, { caller, refusal })
  const body = 'kind' in exchange.body ? exchange.body : await exchange.body
  if ('kind' in tenant) return turnAway(tenant)
  if (body.kind === 'gone') return
  if (body.kind === 'too-large') {
    return turnAway(
      refused('request.too_large', `The body is larger than ${maxBodyBytesOf(plane)} bytes.`),
      tenant,
    )
  }
  const { bytes } = body
  const resumed =
    wire === 'openai-responses'
      ? await resumeConversation(engine, tenant.name, bytes)
      : { bytes, keeps: null, thoughts: undefined }
  if ('kind' in resumed && resumed.kind === 'refused') return turnAway(resumed, tenant)
  const { keeps, thoughts } = resumed
  const call = parseCall(exchange, { wire, tenant, requestId, bytes: resumed.bytes, keeps, thoughts })
  if (call.kind === 'refused') return turnAway(call, tenant)
  const key = textHeader(exchange, REQUEST_HEADERS.idempotencyKey)
  if (key === null) return callModel(engine, call.call, caller)
  return serveOnce(plane, call.call, { key, caller })
}

async function serveOnce(
  plane: DataPlane,
  call: ModelCall,
  repeat: { readonly key: string; readonly caller: Caller },
): Promise<void> {
  const { key, caller } = repeat
  const turn = plane.idempotency.take({ tenant: call.tenant.name, route: call.wire, key, body: call.body })
  switch (turn.kind) {
    case 'refused':
      return sendRefusal(plane.engine, call, { caller, refusal: turn })
    case 'again':
      caller.begin(turn.answer.status, { ...turn.answer.headers, [RESPONSE_HEADERS.replayed]: 'true' })
      return caller.end(turn.answer.body)
    case 'first': {
      const recording = new RecordingCaller(caller)
      await callModel(plane.engine, call, recording).finally(() => turn.end(recording.answer))
    }
  }
}

type WithHeaders = Pick<ModelExchange, 'headers'>

interface RawCall {
  readonly wire: CallerWire
  readonly bytes: Buffer
  readonly tenant: Tenant
  readonly requestId: string
  readonly keeps: KeptTurn | null
  readonly thoughts: ModelCall['thoughts']
}

function parseCall(
  request: WithHeaders,
  raw: RawCall,
): { readonly kind: 'call'; readonly call: ModelCall } | Refusal {
  const json = parseJson(raw.bytes)
  if (json.kind === 'refused') return json
  const view = formatOf(raw.wire).view(json.value)
  if (view.kind === 'invalid') return invalidRequest(view.problems)
  const headers = parseHeaders(request)
  if (headers.kind === 'refused') return headers
  const { contract, taskId, attributes, session, priority, traceparent, upstreamHeaders } = headers.value
  const call: ModelCall = {
    wire: raw.wire,
    body: raw.bytes,
    json: json.value,
    view: view.value,
    tenant: raw.tenant,
    requestId: raw.requestId,
    contract,
    taskId,
    attributes,
    session: session ?? view.value.cacheKey,
    priority,
    traceparent,
    upstreamHeaders,
  }
  return { kind: 'call', call: withConversation(call, raw) }
}

function withConversation(call: ModelCall, { keeps, thoughts }: RawCall): ModelCall {
  if (keeps === null && thoughts === undefined) return call
  return {
    ...call,
    ...(keeps === null ? {} : { keeps }),
    ...(thoughts === undefined ? {} : { thoughts }),
  }
}

function parseJson(bytes: Buffer): { readonly kind: 'json'; readonly value: unknown } | Refusal {
  const text = bytes.toString('utf8')
  try {
    return { kind: 'json', value: JSON.parse(text) }
  } catch {
    const { line, column, expected } = findJsonFault(text)
    const message = `The body is not JSON: line ${line}, column ${column}, expected ${expected}.`
    return refused('request.invalid', message, {
      problems: [{ at: `${line}:${column}`, message: `expected ${expected}` }],
    })
  }
}

export function invalidRequest(problems: readonly Problem[]): Refusal {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return refused('request.invalid', `${first?.at ?? 'body'}: ${first?.message ?? 'is invalid'}${more}`, {
    problems,
  })
}

type CallHeaders = Pick<
  ModelCall,
  'contract' | 'taskId' | 'attributes' | 'session' | 'priority' | 'traceparent' | 'upstreamHeaders'
>

function parseHeaders(
  request: WithHeaders,
): { readonly kind: 'headers'; readonly value: CallHeaders } | Refusal {
  const attributes = textHeader(request, REQUEST_HEADERS.attributes)
  const facts = attributes === null ? null : parseAttributes(attributes)
  if (facts?.kind === 'invalid') return invalidRequest(facts.problems)
  const priority = textHeader(request, REQUEST_HEADERS.priority) ?? 'interactive'
  if (!isPriority(priority)) {
    return invalidRequest([
      { at: REQUEST_HEADERS.priority, message: `must be one of ${PRIORITIES.join(', ')}` },
    ])
  }
  return {
    kind: 'headers',
    value: {
      contract: textHeader(request, REQUEST_HEADERS.task),
      taskId: textHeader(request, REQUEST_HEADERS.taskId),
      attributes: facts?.value ?? NO_FACTS,
      session:
        textHeader(request, REQUEST_HEADERS.session) ?? textHeader(request, REQUEST_HEADERS.sessionAlias),
      priority,
      traceparent: textHeader(request, REQUEST_HEADERS.traceparent),
      upstreamHeaders: formatHeaders(request),
    },
  }
}

function isPriority(value: string): value is Priority {
  return PRIORITIES.some((priority) => priority === value)
}

/** Headers that belong to the format itself: an upstream of the same format must see them as they came. */
export function formatHeaders(request: WithHeaders): Readonly<Record<string, string>> {
  const version = textHeader(request, 'anthropic-version')
  const beta = textHeader(request, 'anthropic-beta')
  if (version === null && beta === null) return NO_HEADERS
  return {
    ...(version === null ? {} : { 'anthropic-version': version }),
    ...(beta === null ? {} : { 'anthropic-beta': beta }),
  }
}

const NO_HEADERS = {}

/** For answers to callers whose request could not be read far enough to say more. */
const NOBODY: Tenant = {
  name: 'unknown',
  keyHashes: [],
  limits: NO_CEILINGS,
  attributes: {},
  weight: 1,
}

const NO_VIEW: RequestView = {
  model: '',
  stream: false,
  maxOutputTokens: null,
  includeUsage: false,
  wantsLogprobs: false,
  choices: 1,
  hasTools: false,
  hasImages: false,
  jsonSchema: null,
  cacheKey: null,
  user: null,
  promptBytes: 0,
  imageCount: 0,
  documentPages: 0,
}

const EMPTY_CALL: Omit<ModelCall, 'wire' | 'requestId' | 'tenant'> = {
  body: Buffer.alloc(0),
  json: null,
  view: NO_VIEW,
  contract: null,
  taskId: null,
  attributes: NO_FACTS,
  session: null,
  priority: 'interactive',
  traceparent: null,
  upstreamHeaders: NO_HEADERS,
}
