// The fast path: is this frame an ordinary delta that can pass as it is? Answered on the bytes, without
// parsing, because it is asked for every token. A wrong "no" only costs a parse. Quotes inside JSON strings
// are escaped, so a quoted key found here is a key, or a whole string value, which no colon follows.

/** What the fast path says of a frame: `look` means parse it. */
export type Plain = 'delta' | 'empty' | 'look'

const LONGEST_FRAME_END = 4

export function plainFrame(text: string, keepLogprobs: boolean): Plain {
  if (!text.startsWith('data:')) return 'look'
  const json = text.charCodeAt(5) === 0x20 ? 6 : 5
  const lineEnd = text.indexOf('\n')
  const last = text.charCodeAt(lineEnd - 1) === 0x0d ? lineEnd - 2 : lineEnd - 1
  const oneLine = lineEnd >= text.length - LONGEST_FRAME_END + 1
  if (!oneLine || text.charCodeAt(json) !== 0x7b || text.charCodeAt(last) !== 0x7d) return 'look'
  // A refusal changes what the finish reason means.
  const regular = isList(text, '"choices"') && !text.includes('"error"') && !isFullString(text, '"refusal"')
  if (!regular || !isNull(text, '"usage"') || !isNull(text, '"finish_reason"')) return 'look'
  if (!keepLogprobs && !isNull(text, '"logprobs"')) return 'look'
  return hasContent(text) ? 'delta' : 'empty'
}

/** Every occurrence of the key has the value null; also when there is none. */
function isNull(text: string, key: string): boolean {
  let at = text.indexOf(key)
  while (at !== -1) {
    const value = valueAfter(text, at + key.length)
    if (value !== -1 && !text.startsWith('null', value)) return false
    at = text.indexOf(key, at + key.length)
  }
  return true
}

function hasContent(text: string): boolean {
  return (
    isFullString(text, '"content"') ||
    text.includes('"tool_calls"') ||
    isFullString(text, '"reasoning_content"') ||
    isFullString(text, '"reasoning"') ||
    text.includes('"function_call"')
  )
}

function isList(text: string, key: string): boolean {
  const at = text.indexOf(key)
  return at !== -1 && text.charCodeAt(valueAfter(text, at + key.length)) === 0x5b
}

function isFullString(text: string, key: string): boolean {
  const at = text.indexOf(key)
  if (at === -1) return false
  const value = valueAfter(text, at + key.length)
  return value !== -1 && text.charCodeAt(value) === 0x22 && text.charCodeAt(value + 1) !== 0x22
}

/** Where the value starts if a colon follows, else -1. */
function valueAfter(text: string, start: number): number {
  let at = start
  while (text.charCodeAt(at) === 0x20) at += 1
  if (text.charCodeAt(at) !== 0x3a) return -1
  at += 1
  while (text.charCodeAt(at) === 0x20) at += 1
  return at
}
