// Histories as the store writes them, for tests that read journals: which lines they become, and which
// entries each line brings.

import fc from 'fast-check'
import type { Entry } from '../../core/task/records.js'
import { holdMade, holdSettled, outcomeJudged, stepEnded, taskOpened } from '../../testing/entries.js'
import { randomStory } from '../../testing/random-story.js'
import { type Call, Calls } from './call.js'
import { Encoder, type Queued } from './encoder.js'
import { versionLine } from './lines.js'

export interface WrittenLine {
  readonly text: string
  readonly entries: readonly Entry[]
}

/** `isTurnOver`: is what was queued written before entry number `i`? Default: never, all is one write. */
export function writtenLines(
  entries: readonly Entry[],
  isTurnOver: (i: number) => boolean = () => false,
): readonly WrittenLine[] {
  const calls = new Calls()
  const encoder = new Encoder()
  const lines: WrittenLine[] = [{ text: versionLine(), entries: [] }]
  let queue: { readonly queued: Queued; readonly entries: Entry[] }[] = []
  const write = (): void => {
    for (const { queued, entries: those } of queue) lines.push(...linesOf(encoder.lines(queued), those))
    queue = []
  }
  entries.forEach((entry, i) => {
    if (isTurnOver(i)) write()
    const call: Call | null = calls.take(entry)
    const waiting = call === null ? undefined : queue.find(({ queued }) => queued === call)
    if (waiting === undefined) queue.push({ queued: call ?? entry, entries: [entry] })
    else waiting.entries.push(entry)
  })
  write()
  return lines
}

/** Definitions bring nothing; a line that is alone brings everything; of several each brings one entry. */
function linesOf(text: string, entries: readonly Entry[]): readonly WrittenLine[] {
  const texts = text
    .split('\n')
    .slice(0, -1)
    .map((line) => `${line}\n`)
  const first = texts.findIndex((line) => !/^[KT]/.test(line))
  const isAlone = first === texts.length - 1
  return texts.map((line, i) => ({
    text: line,
    entries: i < first ? [] : isAlone ? entries : entries.slice(i - first, i - first + 1),
  }))
}

export function journalText(entries: readonly Entry[], isTurnOver?: (i: number) => boolean): string {
  return writtenLines(entries, isTurnOver)
    .map(({ text }) => text)
    .join('')
}

/** Every entry its own write, as on an idle server. */
export const EACH_ALONE = (): boolean => true

/** A one-step task that goes as planned: the store makes one line of it when it is done. */
export function plainCall(id: string, amount = 91_800): readonly Entry[] {
  const hold = holdMade(id, `hold_${id}`)
  const settled = holdSettled(hold)
  const attempt = { ...settled.attempt, nanoUsd: amount, chargedNanoUsd: amount }
  const actual = { ...settled.actual, nanoUsd: amount }
  return [
    taskOpened(id),
    hold,
    { ...settled, actual, attempt },
    stepEnded(id, [attempt]),
    outcomeJudged(id, { nanoUsd: amount }),
  ]
}

/** Random histories with some plain calls among them, one with a second outcome; and when the writes happen. */
export const writtenStory: fc.Arbitrary<readonly [readonly Entry[], (i: number) => boolean]> = fc
  .tuple(randomStory, fc.array(fc.nat(1_000_000), { maxLength: 3 }), fc.infiniteStream(fc.nat(3)))
  .map(([story, amounts, dice]) => {
    const throws = [...dice.take(200)]
    const calls = amounts.map((amount, i) => [...plainCall(`task_${6 + i}`, amount)])
    if (amounts.length > 1) calls[0]?.push(outcomeJudged('task_6', { source: 'application', score: 0.5 }))
    const entries = story.flatMap((entry, i) => {
      const more = calls[(throws[i] ?? 0) % 3]?.splice(0, 1 + ((throws[i] ?? 0) % 2)) ?? []
      return [entry, ...more]
    })
    return [[...entries, ...calls.flat()], (i: number) => throws[i % 200] === 0] as const
  })
