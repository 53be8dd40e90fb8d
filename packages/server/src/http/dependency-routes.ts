// Dependencies of a task over HTTP: a request is passed on within the task's budget, or a permit is given for
// what the application asks itself.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type PermitGiven, RESPONSE_HEADERS, parsePermit } from '@spillway/protocol'
import type { Dependency } from '../core/release/release.js'
import { callDependency } from '../engine/dependency/call-dependency.js'
import { givePermit } from '../engine/dependency/give-permit.js'
import type { Engine } from '../engine/engine.js'
import { joinTask } from '../engine/open-task.js'
import { refused } from '../engine/refusal.js'
import type { Task } from '../engine/task-registry.js'
import { Refused, bodyOf, must } from './control-plane.js'
import { valid } from './task-routes.js'

interface ToDependency {
  readonly Params: { readonly id: string; readonly name: string }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** Asking twice is as good as asking once (RFC 9110). */
const REPEATABLE = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])

/** Never keys or cookies of the caller: a dependency has its own in the configuration. */
const PASSED_ON = [
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'traceparent',
]
const PASSED_BACK = ['content-language', 'content-type', 'etag', 'last-modified', 'location', 'retry-after']

export function registerDependencyRoutes(app: FastifyInstance, engine: Engine): void {
  app.post<{ Params: { id: string } }>('/v1/tasks/:id/permits', async (request, reply) => {
    const ask = valid(parsePermit(request.body))
    const task = must(await joinTask(engine, request.params.id, request.tenant))
    const permit = must(
      await givePermit(engine, task, { dependency: find(task, ask.dependency), caller: callerOf(reply) }),
    )
    const expiresMs = permit.startedMs + permit.timeoutMs
    const given: PermitGiven = {
      permit: permit.id,
      timeout_ms: permit.timeoutMs,
      expires_at: new Date(expiresMs).toISOString(),
    }
    return reply.code(201).send(given)
  })
  // Bodies are handed on as they are, whatever they are: this scope parses none.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (request: FastifyRequest) => bodyOf(engine, request))
    for (const path of ['/v1/tasks/:id/dependencies/:name', '/v1/tasks/:id/dependencies/:name/*']) {
      scope.route<ToDependency>({
        method: METHODS,
        url: path,
        handler: (request, reply) => passOn(engine, request, reply),
      })
    }
  })
}

async function passOn(
  engine: Engine,
  request: FastifyRequest<ToDependency>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const task = must(await joinTask(engine, request.params.id, request.tenant))
  const dependency = find(task, request.params.name)
  const isRepeatable =
    REPEATABLE.has(request.method) || typeof request.headers['idempotency-key'] === 'string'
  const result = must(
    await callDependency(engine, task, {
      dependency,
      request: {
        method: request.method,
        url: addressOf(dependency, request),
        headers: { ...only(request.headers, PASSED_ON), ...dependency.headers },
        body: Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : null,
      },
      isRepeatable,
      caller: callerOf(reply),
    }),
  )
  return reply
    .code(result.status)
    .headers(only(result.headers, PASSED_BACK))
    .header(RESPONSE_HEADERS.taskId, task.id)
    .header(RESPONSE_HEADERS.stepId, result.step)
    .header(RESPONSE_HEADERS.attempts, result.attempts)
    .headers(result.status >= 500 ? { [RESPONSE_HEADERS.shouldRetry]: 'false' } : {})
    .send(Buffer.from(result.body))
}

function find({ release }: Task, name: string): Dependency {
  const dependency = release.dependencies.get(name)
  if (dependency !== undefined) return dependency
  const message = `No dependency '${name.slice(0, 64)}' is configured.`
  throw new Refused(refused('dependency.unknown', message))
}

/** As it was sent, however id and name are encoded. */
const BELOW_NAME = /^\/v1\/tasks\/[^/?#]+\/dependencies\/[^/?#]+(.*)$/

/** What follows the name in the caller's path, below the configured address and nowhere else. */
function addressOf({ name, baseUrl }: Dependency, request: FastifyRequest<ToDependency>): string {
  if (baseUrl === null) {
    const message = `The dependency '${name}' has no \`base_url\`: take a permit and call it yourself.`
    throw new Refused(refused('request.invalid', message))
  }
  const rest = BELOW_NAME.exec(request.raw.url ?? '')?.[1] ?? ''
  const base = new URL(baseUrl)
  const url = new URL(baseUrl + rest)
  const isBelow =
    url.pathname === base.pathname || url.pathname.startsWith(`${base.pathname.replace(/\/$/, '')}/`)
  // `%2f..` stays below for us, and may not for whoever reads it next.
  const hasDots = decoded(url.pathname).split(/[\\/]/).includes('..')
  if (url.origin === base.origin && isBelow && !hasDots && url.username === '' && url.password === '')
    return url.href
  throw new Refused(refused('request.invalid', 'The path leaves the address of the dependency.'))
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new Refused(refused('request.invalid', 'The path is not properly encoded.'))
  }
}

function only(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value] as const] : []
    }),
  )
}

/** The caller, as far as engine has to know: whether it is still there. */
function callerOf(reply: FastifyReply) {
  const { raw } = reply
  return {
    get gone() {
      return raw.destroyed && !raw.writableFinished
    },
    onGone(run: () => void) {
      raw.once('close', () => {
        if (!raw.writableFinished) run()
      })
    },
  }
}
