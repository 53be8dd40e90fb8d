// Asking a running server: one request, and its answer, refusal or absence told in words a person can act on.

import type { Command } from 'commander'
import { isObject } from '../core/json.js'
import type { CliIo } from './cli-io.js'

export const DEFAULT_URL = 'http://127.0.0.1:4100'
/** A report over a large store takes seconds; a server that says nothing for longer is not answering. */
const ANSWER_TIMEOUT_MS = 30_000

export interface ServerOptions {
  readonly url: string
  readonly json?: boolean
}

export type Query = Readonly<Record<string, string | undefined>>

export interface Question {
  readonly path: string
  readonly query?: Query
  /** The answer for people; null when it is not of the shape this command knows. */
  readonly render: (body: unknown) => string | null
  /** Default GET. */
  readonly method?: 'GET' | 'POST'
  /** Sent as JSON. */
  readonly body?: unknown
  /** Longest silence of the server, ms. Default 30000. */
  readonly timeoutMs?: number
  /** Whether the answer, once printed, is a yes. Default: always. A no exits 1. */
  readonly isYes?: (body: unknown) => boolean
}

export type Answer =
  | { readonly kind: 'ok'; readonly body: unknown }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string; readonly body: unknown }
  | { readonly kind: 'unreachable'; readonly message: string }

/** Adds `--url` and `--json`, which every command that asks a server takes. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the server to ask', DEFAULT_URL)
    .option('--json', 'print the answer as JSON')
}

/**
 * Asks, prints the answer as JSON or as `render` gives it, and sets the exit code: 0, 1 when the server
 * refused, 2 when `--url` is not a URL, 3 when nobody answers.
 */
export async function show(io: CliIo, options: ServerOptions, ask: Question): Promise<void> {
  const url = urlOf(options.url, ask.path, ask.query ?? {})
  if (url === null) {
    io.err(`error: --url must be an http(s) URL such as ${DEFAULT_URL}`)
    return io.exit(2)
  }
  const answer = await askJson(url, io.key, ask)
  switch (answer.kind) {
    case 'ok':
      print(io, answer.body, options.json === true ? indentedJson : ask.render)
      if (ask.isYes?.(answer.body) === false) io.exit(1)
      return
    case 'refused':
      if (options.json === true) io.out(indentedJson(answer.body))
      io.err(`error: ${answer.message}`)
      return io.exit(1)
    case 'unreachable':
      io.err(`error: ${answer.message}`)
      return io.exit(3)
  }
}

function print(io: CliIo, body: unknown, render: Question['render']): void {
  const text = render(body)
  if (text !== null) return io.out(text)
  io.err(
    'error: the server answers in a shape this command does not know; is it another version? Try --json.',
  )
  io.exit(3)
}

function indentedJson(body: unknown): string {
  return JSON.stringify(body, null, 2)
}

export function urlOf(base: string, path: string, query: Query): URL | null {
  if (!/^https?:\/\//.test(base) || !URL.canParse(base)) return null
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value)
  return url
}

export async function getJson(url: URL, key: string | null): Promise<Answer> {
  return askJson(url, key, {})
}

async function askJson(
  url: URL,
  key: string | null,
  { method = 'GET', timeoutMs = ANSWER_TIMEOUT_MS, body }: Pick<Question, 'method' | 'timeoutMs' | 'body'>,
): Promise<Answer> {
  try {
    // Only commands that ask a server wait for it.
    const { request } = await import('undici')
    const answer = await request(url, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { accept: 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    })
    return readAnswer(url, answer.statusCode, await answer.body.text())
  } catch (error) {
    return {
      kind: 'unreachable',
      message: `${url.origin} does not answer (${causeOf(error)}). ${WHAT_TO_DO}`,
    }
  }
}

const WHAT_TO_DO = 'Start a server with `npm start` or `spillway serve`, or name another one with --url.'

function readAnswer(url: URL, status: number, text: string): Answer {
  const body = parseJson(text)
  if (body === undefined) {
    const message = `${url.origin} answered ${status} without JSON: this is not a Spillway server. ${WHAT_TO_DO}`
    return { kind: 'unreachable', message }
  }
  return status < 400
    ? { kind: 'ok', body }
    : { kind: 'refused', status, message: refusalText(status, body), body }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `task.unknown: no such task. Open a task ...` from an error body of either shape. */
function refusalText(status: number, body: unknown): string {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {}
  const text = (name: string) => (typeof error[name] === 'string' ? error[name] : null)
  const hint = text('hint')
  const hasKeyHint = status === 401 ? ' Put the tenant key in SPILLWAY_KEY.' : ''
  const what = `${text('code') ?? `status ${status}`}: ${text('message') ?? 'the server refused'}`
  return `${what}${hint === null ? '' : `\n  ${hint}`}${hasKeyHint}`
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'no such host',
    ECONNRESET: 'connection lost',
    UND_ERR_SOCKET: 'connection lost',
    UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
    UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
    UND_ERR_BODY_TIMEOUT: 'no answer in time',
  }
  return words[code] ?? code
}
