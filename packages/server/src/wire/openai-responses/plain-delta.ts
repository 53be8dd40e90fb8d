// The fast path: is this frame an ordinary delta, and of what? Answered without parsing, because it is asked
// for every token. A wrong "no" only costs a parse. Quotes inside JSON strings are escaped, so a quoted key
// found here is a key.

export interface PlainDelta {
  readonly of: 'output_text' | 'summary_text' | 'call'
  readonly outputIndex: number
  readonly partIndex: number
  readonly sequence: number
  readonly text: string
}

const KINDS = [
  { of: 'output_text', line: 'event: response.output_text.delta\n', part: '"content_index":' },
  { of: 'call', line: 'event: response.function_call_arguments.delta\n', part: null },
  { of: 'summary_text', line: 'event: response.reasoning_summary_text.delta\n', part: '"summary_index":' },
] as const

const DATA = 'data: {'
const END = '}\n\n'
const DELTA = '"delta":"'

export function plainDelta(frame: string): PlainDelta | null {
  const kind = KINDS.find(({ line }) => frame.startsWith(line))
  if (kind === undefined || !frame.startsWith(DATA, kind.line.length) || !frame.endsWith(END)) return null
  const oneLine = frame.indexOf('\n', kind.line.length) === frame.length - END.length + 1
  if (!oneLine || frame.includes('\\') || frame.includes('"logprobs":[{')) return null
  const start = frame.indexOf(DELTA)
  const outputIndex = numberAfter(frame, '"output_index":')
  const sequence = numberAfter(frame, '"sequence_number":')
  const partIndex = kind.part === null ? 0 : numberAfter(frame, kind.part)
  if (start === -1 || outputIndex === null || sequence === null || partIndex === null) return null
  const end = frame.indexOf('"', start + DELTA.length)
  if (end <= start + DELTA.length) return null
  return { of: kind.of, outputIndex, partIndex, sequence, text: frame.slice(start + DELTA.length, end) }
}

function numberAfter(frame: string, key: string): number | null {
  const at = frame.indexOf(key)
  if (at === -1) return null
  let value = 0
  let digits = 0
  for (let next = at + key.length; digits < 10; next += 1) {
    const digit = frame.charCodeAt(next) - 0x30
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
    digits += 1
  }
  return digits === 0 ? null : value
}
