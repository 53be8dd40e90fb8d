// Servers that imitate OpenAI number the calls of tools loosely (all of them 0, or not at all) and may give
// arguments as an object. Strict clients put a call together by its index and add its arguments up as text,
// so what is loose is mended; every other byte passes as it came.

import { isObject, type JsonObject } from '../../core/json.js'
import { textOrNull } from './answer.js'

type Fields = Readonly<Record<string, unknown>>

interface OpenCall {
  /** As the server numbers it. */
  readonly wireIndex: number | null
  readonly id: string | null
  /** As the caller is told. */
  readonly index: number
}

const STARTS = /"id": ?"/
const LOOSE_ARGUMENTS = /"arguments": ?\{/

/** One for each stream. */
export class LooseToolCalls {
  private readonly calls = new Map<unknown, OpenCall[]>()
  private renumbered = false

  /** From now on every frame with calls in it has to be mended. */
  get isRenumbered(): boolean {
    return this.renumbered
  }

  /** May this frame with calls in it need mending? Answered on its text, without parsing. */
  concerns(frame: string): boolean {
    const at = frame.indexOf('"tool_calls"')
    if (at === -1) return false
    if (this.renumbered || frame.indexOf('"index"', at) === -1) return true
    const calls = frame.slice(at)
    return STARTS.test(calls) || LOOSE_ARGUMENTS.test(calls)
  }

  /** The chunk as it must be; null: as it is. */
  mend(chunk: Fields): JsonObject | null {
    let isMended = false
    const choices = asList(chunk['choices']).map((choice) => {
      const delta = isObject(choice) && isObject(choice['delta']) ? choice['delta'] : null
      if (!isObject(choice) || delta === null || !Array.isArray(delta['tool_calls'])) return choice
      const tool_calls = delta['tool_calls'].map((call: unknown) => {
        const right = isObject(call) ? this.mendCall(choice['index'], call) : call
        isMended ||= right !== call
        return right
      })
      return { ...choice, delta: { ...delta, tool_calls } }
    })
    return isMended ? ({ ...chunk, choices } as JsonObject) : null
  }

  private mendCall(choice: unknown, call: Fields): Fields {
    const index = this.indexOf(choice, call)
    const said = withText(call['function'])
    if (index === call['index'] && said === call['function']) return call
    this.renumbered ||= index !== call['index']
    return { ...call, index, ...(said === undefined ? {} : { function: said }) }
  }

  /** A new id means a new call, whatever its number. Its own number is kept where no other call has it. */
  private indexOf(choice: unknown, call: Fields): number {
    const calls = this.calls.get(choice) ?? []
    this.calls.set(choice, calls)
    const wireIndex = typeof call['index'] === 'number' ? call['index'] : null
    const id = textOrNull(call['id'])
    const known =
      id === null
        ? (calls.findLast((one) => one.wireIndex === wireIndex) ??
          (wireIndex === null ? calls.at(-1) : undefined))
        : calls.find((one) => one.id === id)
    if (known !== undefined) return known.index
    const isFree = wireIndex !== null && !calls.some((one) => one.index === wireIndex)
    const index = isFree ? wireIndex : calls.reduce((next, one) => Math.max(next, one.index + 1), 0)
    calls.push({ wireIndex, id, index })
    return index
  }
}

/** A whole answer as strict clients need it; null: as it is. */
export function mendAnswer(body: unknown): JsonObject | null {
  if (!isObject(body)) return null
  let isMended = false
  const choices = asList(body['choices']).map((choice) => {
    const message = isObject(choice) && isObject(choice['message']) ? choice['message'] : null
    if (!isObject(choice) || message === null || !Array.isArray(message['tool_calls'])) return choice
    const tool_calls = message['tool_calls'].map((call: unknown) => {
      const said = isObject(call) ? withText(call['function']) : undefined
      if (!isObject(call) || said === call['function']) return call
      isMended = true
      return { ...call, function: said }
    })
    return { ...choice, message: { ...message, tool_calls } }
  })
  return isMended ? ({ ...body, choices } as JsonObject) : null
}

/** The function with its arguments as text; the same value when they are. */
function withText(said: unknown): unknown {
  if (!isObject(said) || !isObject(said['arguments'])) return said
  return { ...said, arguments: JSON.stringify(said['arguments']) }
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
