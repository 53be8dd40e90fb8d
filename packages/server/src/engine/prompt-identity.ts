// What tells a prompt from others, for whoever remembers where its beginning is warm: read from the parsed
// body, of whatever format, and only when somebody asks.

import type { PromptIdentity } from '../core/capacity/demand.js'
import { prefixChain } from '../core/capacity/prefix-hash.js'
import { type PrefixChain, NO_PREFIX } from '../core/capacity/prefix-memory.js'
import { isObject } from '../core/json.js'
import type { ModelEntry } from '../core/release/release.js'
import type { Step } from './step-context.js'

/** Computing fewer tokens again takes less time than the choice is worth. */
const TOKENS_MIN = 256

const NONE: { readonly prompt?: PromptIdentity } = {}

/** To be laid into a demand. */
export function promptIdentity(
  step: Step,
  model: ModelEntry,
  tokens: number,
): { readonly prompt?: PromptIdentity } {
  const { call, task } = step
  if (call.wire === 'openai-embeddings' || (tokens < TOKENS_MIN && call.session === null)) return NONE
  const tenant = task.tenant.name
  const session = call.session === null ? null : `${tenant}\n${model.name}\n${call.session}`
  return { prompt: new RequestPrompt(step.request.json, { tenant, session, tokens }) }
}

class RequestPrompt implements PromptIdentity {
  readonly session: string | null
  readonly #json: unknown
  readonly #tenant: string
  readonly #tokens: number
  #chain: PrefixChain | null = null
  #heads = 0

  constructor(json: unknown, of: { tenant: string; session: string | null; tokens: number }) {
    this.#json = json
    this.#tenant = of.tenant
    this.#tokens = of.tokens
    this.session = of.session
  }

  get chain(): PrefixChain {
    return (this.#chain ??= this.#read())
  }

  get heads(): number {
    return this.chain === NO_PREFIX ? 0 : this.#heads
  }

  /**
   * In the order in which providers read a prompt: tools, instructions, conversation. Instructions are a
   * field of their own (`system`, `instructions`) or the first message.
   */
  #read(): PrefixChain {
    const json = this.#json
    if (!isObject(json)) return NO_PREFIX
    const said = json['messages'] ?? json['input']
    const all: readonly unknown[] = Array.isArray(said) ? said : [said]
    const fields = [json['tools'], json['system'], json['instructions']]
    const given = fields.filter((part) => part !== undefined)
    const opening = isInstruction(all[0]) ? [all[0]] : []
    const head = [...given, ...opening]
    this.#heads = head.length === 0 ? 0 : 1
    const messages = opening.length === 0 ? all : all.slice(1)
    return prefixChain({ tenant: this.#tenant, head, messages, tokens: this.#tokens })
  }
}

function isInstruction(message: unknown): boolean {
  return isObject(message) && (message['role'] === 'system' || message['role'] === 'developer')
}
