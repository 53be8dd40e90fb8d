// Where a caller finds in its own body what a problem speaks of. Encoders name places of our message model;
// callers know theirs only: other names of fields, a system prompt beside the messages, items in place of
// turns.

import type { Problem } from '../core/parsed.js'

export interface CallerPlaces {
  /** Names of fields that differ: ours -> the caller's. */
  readonly fields: ReadonlyMap<string, string>
  /** Of each of our messages, where each of its parts stands in the body. */
  readonly messages: readonly (readonly string[])[]
}

export function inCallersTerms(problems: readonly Problem[], places: CallerPlaces): readonly Problem[] {
  return problems.map((problem) => ({ ...problem, at: placeOf(problem.at, places) }))
}

const OF_MESSAGE = /^messages\[(\d+)\](?:\.content\[(\d+)\])?(.*)$/

function placeOf(at: string, { fields, messages }: CallerPlaces): string {
  const field = fields.get(at)
  if (field !== undefined) return field
  const [, message, part, rest = ''] = OF_MESSAGE.exec(at) ?? []
  const parts = message === undefined ? undefined : messages[Number(message)]
  if (parts === undefined) return at
  const place = part === undefined ? messageOf(parts[0]) : parts[Number(part)]
  return place === undefined ? at : place + rest
}

/** The message or item around a part. */
function messageOf(place: string | undefined): string | undefined {
  return place === undefined ? undefined : /^[a-z]+(?:\[\d+\])?/.exec(place)?.[0]
}

/** Of content that is a text, or a list with a part for each of ours. */
export function contentPlaces(content: unknown, at: string): readonly string[] {
  return Array.isArray(content) ? content.map((_, index) => `${at}[${index}]`) : [at]
}
