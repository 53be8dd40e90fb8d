// What waits for the next write, as the lines it becomes. One encoder per store; a new file of the journal
// starts with an empty dictionary.

import type { AttemptId } from '../../core/ids.js'
import type { Entry } from '../../core/task/records.js'
import { unreachable } from '../../core/unreachable.js'
import { type Call, isWhole } from './call.js'
import { begunLine, doneLine } from './call-line.js'
import { Dictionary } from './dictionary.js'
import {
  type ContentColumns,
  contentLine,
  eventLine,
  holdLine,
  openedLine,
  outcomeLine,
  refusedLine,
  servedLine,
  settledLine,
  stepLine,
} from './lines.js'
import { Ways } from './ways.js'

/** Attempts remembered as charged until their step names them. Forgetting one only repeats it in the step. */
const CHARGED_MAX = 10_000

export interface Content {
  readonly kind: 'content'
  readonly columns: ContentColumns
  readonly text: string
}

export type Queued = Entry | Call | Content

export class Encoder {
  #dictionary = new Dictionary()
  readonly #ways = new Ways()
  readonly #charged = new Set<AttemptId>()

  beginSegment(): void {
    this.#dictionary = new Dictionary()
  }

  lines(queued: Queued): string {
    switch (queued.kind) {
      case 'call':
        return this.#callLines(queued)
      case 'content':
        return contentLine(queued)
      default:
        return this.#entryLine(queued)
    }
  }

  #entryLine(entry: Entry): string {
    switch (entry.kind) {
      case 'task-opened':
        return openedLine(entry)
      case 'hold-made':
        return holdLine(entry)
      case 'hold-settled':
        if (this.#charged.size >= CHARGED_MAX) this.#charged.clear()
        this.#charged.add(entry.attempt.id)
        return settledLine(entry)
      case 'step-ended':
        return stepLine(entry, this.#charged)
      case 'outcome-judged':
        return outcomeLine(entry)
      case 'call-refused':
        return refusedLine(entry)
      case 'release-served':
        return servedLine(entry)
      case 'event':
        return eventLine(entry)
      default:
        return unreachable(entry)
    }
  }

  #callLines(call: Call): string {
    call.queued = false
    if (isWhole(call)) return doneLine(call, this.#dictionary, this.#ways)
    const { written, opened, hold, settled, step } = call
    const hasMore = settled !== null || step !== null
    call.written = hasMore ? 'parts' : hold === null ? 'opened' : 'held'
    if (written === 'nothing' && hold !== null && !hasMore) return begunLine(call, hold, this.#dictionary)
    const head = written === 'nothing' ? openedLine(opened) : ''
    const held = hold === null || written === 'held' ? '' : holdLine(hold)
    const parts = [settled, step].filter((part) => part !== null).map((part) => this.#entryLine(part))
    return head + held + parts.join('')
  }
}
