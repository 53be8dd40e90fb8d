// The control API (tasks, report, capacity, models, health) on fastify. Nothing here is hot.

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { ERRORS, REQUEST_HEADERS, RESPONSE_HEADERS } from '@spillway/protocol'
import { type Tenant, isAllSimulated } from '../core/release/release.js'
import { errorBody } from '../engine/answer/error-body.js'
import { retryHeaders } from '../engine/answer/send-refusal.js'
import type { Engine } from '../engine/engine.js'
import { type Refusal, refused } from '../engine/refusal.js'
import { formatOf } from '../wire/formats.js'
import type { Authenticator } from './authenticate.js'
import type { Idempotency, Turn } from './idempotency.js'
import { findJsonFault } from './json-error.js'
import { readBody } from './read-body.js'
import { textHeader } from './text-header.js'

export interface ControlPlane {
  readonly engine: Engine
  authenticator(): Authenticator
  readonly idempotency: Idempotency
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Why the server is not ready, or null. */
  unready(): string | null
}

declare module 'fastify' {
  interface FastifyRequest {
    tenant: Tenant
    /** The first request with its idempotency key: its answer is kept. */
    turn: Extract<Turn, { readonly kind: 'first' }> | null
  }
}

/** Thrown by handlers: the one way a control route says no. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

/** Hands a refusal to the error handler, or returns the value. */
export function must<T extends object>(result: T | Refusal): Exclude<T, Refusal> {
  if ('kind' in result && result.kind === 'refused') throw new Refused(result)
  return result as Exclude<T, Refusal>
}

const OPEN_PATHS = new Set(['/healthz', '/readyz', '/health/liveness', '/health/readiness'])

export function createControlPlane(
  plane: ControlPlane,
  serverFactory: Parameters<typeof Fastify>[0] extends infer _ ? FastifyServerFactoryLike : never,
): FastifyInstance {
  const app = Fastify({
    serverFactory: serverFactory as never,
    exposeHeadRoutes: false,
    logger: false,
    genReqId: (request) =>
      textHeader(request, REQUEST_HEADERS.requestId) ?? plane.engine.system.newId('message'),
  })
  app.decorateRequest('tenant', null as unknown as Tenant)
  app.addHook('onRequest', async (request, reply) => {
    reply.header(RESPONSE_HEADERS.requestId, request.id)
    if (isAllSimulated(plane.engine.release())) reply.header(RESPONSE_HEADERS.simulated, 'true')
    if (OPEN_PATHS.has(request.routeOptions.url ?? '')) return
    const tenant = plane.authenticator().authenticate(request.headers, request.socket.remoteAddress)
    request.tenant = must(tenant)
  })
  app.decorateRequest('turn', null)
  answerOnce(app, plane.idempotency)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', async (request: FastifyRequest) =>
    parseBody((await bodyOf(plane.engine, request)).toString('utf8')),
  )
  app.setErrorHandler((error, request, reply) => sendError(request, reply, refusalOf(error)))
  app.setNotFoundHandler((request, reply) => sendError(request, reply, notFound(request)))
  return app
}

/** A repeated POST of the control API gives the first one's answer; nothing is opened or recorded twice. */
function answerOnce(app: FastifyInstance, idempotency: Idempotency): void {
  app.addHook('preHandler', async (request, reply) => {
    const key = textHeader(request, REQUEST_HEADERS.idempotencyKey)
    if (key === null || request.method !== 'POST') return
    const route = `${request.method} ${request.url}`
    const turn = idempotency.take({
      tenant: request.tenant.name,
      route,
      key,
      body: JSON.stringify(request.body) ?? '',
    })
    if (turn.kind === 'refused') throw new Refused(turn)
    if (turn.kind === 'first') {
      request.turn = turn
      return
    }
    const { status, headers, body } = turn.answer
    await reply
      .code(status)
      .headers({ ...headers, [RESPONSE_HEADERS.replayed]: 'true' })
      .send(Buffer.from(body))
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const { turn } = request
    if (turn === null) return
    request.turn = null
    const headers = { 'content-type': String(reply.getHeader('content-type') ?? 'application/json') }
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload)
    turn.end(isWhole ? { status: reply.statusCode, headers, body: Buffer.from(payload) } : null)
  })
}

type FastifyServerFactoryLike = (
  handler: (request: never, response: never) => void,
  options: unknown,
) => unknown

/** Of any kind, up to the limit of the release that serves now. */
export async function bodyOf(engine: Engine, request: FastifyRequest): Promise<Buffer> {
  const { maxBodyBytes } = engine.release().server
  const body = await readBody(request.raw, maxBodyBytes)
  if (body.kind === 'body') return body.bytes
  if (body.kind === 'gone') throw new Refused(refused('request.invalid', 'The request cannot be read.'))
  throw new Refused(refused('request.too_large', `The body is larger than ${maxBodyBytes} bytes.`))
}

function parseBody(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    const { line, column, expected } = findJsonFault(text)
    const message = `The body is not JSON: line ${line}, column ${column}, expected ${expected}.`
    throw new Refused(refused('request.invalid', message))
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status >= 400 && status < 500) return refused('request.invalid', 'The request cannot be read.')
  return refused('internal.error', 'Something went wrong inside Spillway.')
}

function notFound(request: FastifyRequest): Refusal {
  const path = request.url.split('?')[0] ?? ''
  if (KNOWN_ELSEWHERE.some((prefix) => path.startsWith(prefix))) {
    return refused(
      'request.unsupported',
      `${request.method} ${path.slice(0, 200)} is not supported, and is not passed on.`,
    )
  }
  return refused('route.unknown', `There is no ${request.method} ${path.slice(0, 200)}.`)
}

/** Routes of the providers' APIs that exist, but not here: never passed on unmetered. */
const KNOWN_ELSEWHERE = [
  '/v1/responses',
  '/v1/completions',
  '/v1/images',
  '/v1/audio',
  '/v1/files',
  '/v1/batches',
  '/v1/rerank',
  '/v1/moderations',
  '/v1/realtime',
  '/v1/messages/batches',
]

function sendError(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const wire = request.url.startsWith('/v1/messages') ? 'anthropic-messages' : 'openai-chat'
  const body = formatOf(wire).encodeError(errorBody({ requestId: request.id }, refusal))
  return reply
    .code(ERRORS[refusal.code].status)
    .headers(retryHeaders(refusal))
    .type('application/json')
    .send(JSON.stringify(body))
}
