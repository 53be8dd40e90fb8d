// What a request loses when it crosses formats although it may cross: fields that ask for nothing the
// answer's meaning depends on. Named by place, so that the loss is recorded as a decision. Everything else
// that cannot cross is refused.

import type { ModelRequest } from '../core/model/message.js'
import type { CallerWire, Wire } from '../core/release/release.js'
import { formatOf, providerFormatOf } from './formats.js'

export interface Crossing {
  /** The caller's body. */
  readonly body: unknown
  /** The same in our types. */
  readonly request: ModelRequest
  readonly from: CallerWire
  readonly to: Wire
}

/** Places of the hints that are lost: some on the way in, some on the way out. Empty on the same wire. */
export function droppedHints({ body, request, from, to }: Crossing): string[] {
  if (from === to) return []
  return [...formatOf(from).unsaid(body), ...providerFormatOf(to).leavesOut(request)]
}
