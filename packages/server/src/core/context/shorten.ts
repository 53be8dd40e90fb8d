// What a long conversation can do without. The same messages and target always keep the same: whole turns
// go, the oldest first, so that no question loses its answer; only then are old tool results blanked.

export interface MessageShape {
  /** Position in the request. */
  readonly index: number
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  /** Size in the request, UTF-8 bytes. */
  readonly bytes: number
  /** A user's message that starts a turn; what follows until the next one belongs to it. */
  readonly opensTurn: boolean
  readonly toolResult: boolean
}

export type MessageAction = 'keep' | 'drop' | 'blank'

export type Kept =
  | {
      readonly kind: 'kept'
      /** One per message, in order. */
      readonly actions: readonly MessageAction[]
      readonly droppedTurns: number
      readonly droppedMessages: number
      readonly blankedToolResults: number
      /** What is left. */
      readonly bytes: number
    }
  /** Even the least that makes sense is larger than the target. */
  | { readonly kind: 'cannot' }

/** A blanked tool result is this large, bytes: the call stays answered, its content is gone. */
export const BLANKED_BYTES = 64

/** Keeps system messages and the last turn; stops as soon as the rest fits. */
export function chooseKept(messages: readonly MessageShape[], targetBytes: number): Kept {
  const actions: MessageAction[] = messages.map(() => 'keep')
  let bytes = messages.reduce((sum, message) => sum + message.bytes, 0)
  let droppedTurns = 0
  let droppedMessages = 0
  let blankedToolResults = 0

  for (const turn of turnsOf(messages).slice(0, -1)) {
    if (bytes <= targetBytes) break
    for (const position of turn) {
      actions[position] = 'drop'
      bytes -= messages[position]?.bytes ?? 0
    }
    droppedTurns += 1
    droppedMessages += turn.length
  }
  for (const [position, message] of messages.entries()) {
    if (bytes <= targetBytes) break
    if (actions[position] !== 'keep' || !message.toolResult || message.bytes <= BLANKED_BYTES) continue
    actions[position] = 'blank'
    bytes -= message.bytes - BLANKED_BYTES
    blankedToolResults += 1
  }
  if (bytes > targetBytes) return { kind: 'cannot' }
  return { kind: 'kept', actions, droppedTurns, droppedMessages, blankedToolResults, bytes }
}

/** Positions by turn, system messages left out. What comes before the first opening is a turn of its own. */
function turnsOf(messages: readonly MessageShape[]): readonly (readonly number[])[] {
  const turns: number[][] = []
  for (const [position, message] of messages.entries()) {
    if (message.role === 'system') continue
    const current = turns.at(-1)
    if (current === undefined || message.opensTurn) turns.push([position])
    else current.push(position)
  }
  return turns
}
