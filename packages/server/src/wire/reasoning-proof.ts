// Whose proof is on a thought. A conversation may hold turns of several providers, and each refuses the whole
// of it for one proof that it did not make. So every proof tells its maker: OpenAI's comes with the thought's
// id, Gemini's is marked while it is away (`gemini/signature.ts`), any other is Claude's, which Anthropic's
// API, Bedrock and Vertex read alike:
// https://docs.claude.com/en/docs/build-with-claude/extended-thinking

import type { Part } from '../core/model/message.js'
import { ownSignature } from './gemini/signature.js'

export type Thought = Extract<Part, { kind: 'reasoning' }>

type Proof = Pick<Thought, 'signature' | 'redacted' | 'id'>

/** null: nothing proves it. */
export function makerOf({ signature, redacted, id }: Proof): 'claude' | 'gemini' | 'openai' | null {
  const proof = signature ?? redacted
  if (proof === undefined) return null
  if (id !== undefined) return 'openai'
  return ownSignature(proof) === null ? 'claude' : 'gemini'
}

const OPENAI = 'openai:'

/** The proof in a format that has no other place for the thought's id. */
export function withId(proof: string, id: string | undefined): string {
  return id === undefined ? proof : `${OPENAI}${id}:${proof}`
}

/** What `withId` put together. */
export function withoutId(carried: string): { readonly proof: string; readonly id?: string } {
  const end = carried.startsWith(OPENAI) ? carried.indexOf(':', OPENAI.length) : -1
  if (end === -1) return { proof: carried }
  return { proof: carried.slice(end + 1), id: carried.slice(OPENAI.length, end) }
}

/** Whether `bytes` of a body may hold a proof that is marked as another provider's than Claude's. */
export function mayHoldMarks(bytes: Buffer): boolean {
  return bytes.includes('"gemini:') || bytes.includes('"openai:')
}
