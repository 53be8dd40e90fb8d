// A fact, or why it is not known: a provider that does not tell is no error.

import type { Parsed } from '../../../core/parsed.js'
import { readError } from '../../../wire/read-error.js'
import type { Told } from './ask.js'

export type Fact<T> =
  | { readonly value: T; readonly reason: null }
  | { readonly value: null; readonly reason: string }

export function untold(reason: string): Fact<never> {
  return { value: null, reason }
}

/** The body of an answer that may hold what was asked for. */
export function usableBody(told: Told): Fact<string> {
  if (told.kind === 'failed') return untold(told.reason)
  const { status, isHtml, body } = told
  if (status !== 200) return untold(`HTTP ${status}: ${readError(status, body).message}`)
  return isHtml ? untold('a web page came instead') : { value: body, reason: null }
}

export function factOf<T>(read: Parsed<T>): Fact<T> {
  if (read.kind === 'ok') return { value: read.value, reason: null }
  return untold(read.problems[0]?.message ?? 'nothing that is known here')
}
