// The fast path: is this frame an ordinary delta, and of what? Answered without parsing, because it is asked
// for every token. A wrong "no" only costs a parse. Quotes inside JSON strings are escaped, so a quoted key
// found here is a key.

import { fromLatin1 } from '../openai-chat/delta-skeleton.js'

export interface PlainDelta {
  readonly of: 'output_text' | 'summary_text' | 'call'
  readonly outputIndex: number
  readonly partIndex: number
  readonly sequence: number
  readonly text: string
}

interface Kind {
  readonly of: PlainDelta['of']
  readonly line: string
  /** Where the index of the part is; null: there are no parts. */
  readonly part: string | null
}

const TEXT: Kind = {
  of: 'output_text',
  line: 'event: response.output_text.delta\ndata: {',
  part: '"content_index":',
}
const CALL: Kind = {
  of: 'call',
  line: 'event: response.function_call_arguments.delta\ndata: {',
  part: null,
}
const THOUGHT: Kind = {
  of: 'summary_text',
  line: 'event: response.reasoning_summary_text.delta\ndata: {',
  part: '"summary_index":',
}

const KINDS = [TEXT, CALL, THOUGHT]
const END = '}\n\n'
const DELTA = '"delta":"'

/** `frame` as latin1, as the bytes are. */
export function plainDelta(frame: string): PlainDelta | null {
  const kind = kindOf(frame)
  if (kind === null || !frame.endsWith(END) || frame.includes('\\')) return null
  const oneLine = frame.indexOf('\n', kind.line.length) === frame.length - END.length + 1
  const start = frame.indexOf(DELTA, kind.line.length) + DELTA.length
  const end = frame.indexOf('"', start)
  if (!oneLine || start < DELTA.length || end <= start || frame.includes('"logprobs":[{')) return null
  const outputIndex = numberAfter(frame, '"output_index":')
  const sequence = numberAfter(frame, '"sequence_number":')
  const partIndex = kind.part === null ? 0 : numberAfter(frame, kind.part)
  if (outputIndex === -1 || sequence === -1 || partIndex === -1) return null
  return { of: kind.of, outputIndex, partIndex, sequence, text: fromLatin1(frame.slice(start, end)) }
}

function kindOf(frame: string): Kind | null {
  for (const kind of KINDS) if (frame.startsWith(kind.line)) return kind
  return null
}

/** -1: no such number. */
function numberAfter(frame: string, key: string): number {
  const at = frame.indexOf(key)
  if (at === -1) return -1
  const start = at + key.length
  let value = 0
  let next = start
  for (; next < start + DIGITS_MAX; next += 1) {
    const digit = frame.charCodeAt(next) - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
  }
  return next === start ? -1 : value
}

const DIGITS_MAX = 10
