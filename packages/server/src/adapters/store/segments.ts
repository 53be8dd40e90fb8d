// The journal's files: `journal-000001.log`, `journal-000002.log`, ... Read in slices of whole lines, so that
// memory stays bounded and a torn last line (the process died inside a write) is never seen by anybody.

import { closeSync, fstatSync, openSync, readdirSync, readSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** A place in the journal: bytes of `segment` before `offset`, and all earlier segments. */
export interface Position {
  readonly segment: number
  readonly offset: number
}

/**
 * Bytes read at once; larger ones cost more in page faults than they save. A line that is longer is read
 * whole.
 */
const SLICE_BYTES = 64 * 1024
const NEWLINE = 10

export function segmentPath(dir: string, segment: number): string {
  return join(dir, `journal-${String(segment).padStart(6, '0')}.log`)
}

/** Numbers of the segments that exist, ascending. */
export function listSegments(dir: string): number[] {
  return readdirSync(dir)
    .flatMap((name) => {
      const match = /^journal-(\d{6,})\.log$/.exec(name)
      return match ? [Number(match[1])] : []
    })
    .sort((a, b) => a - b)
}

export function deleteSegmentsBefore(dir: string, segment: number): void {
  for (const number of listSegments(dir)) if (number < segment) unlinkSync(segmentPath(dir, number))
}

export interface Slice {
  /** Whole lines. */
  readonly text: string
  readonly endOffset: number
}

/** Reads whole lines of one segment between two offsets. `to` beyond the end means the end. */
export function* readSlices(dir: string, from: Position, to: number): Generator<Slice> {
  const file = openSync(segmentPath(dir, from.segment), 'r')
  try {
    const end = Math.min(to, fstatSync(file).size)
    let buffer = Buffer.allocUnsafe(Math.min(SLICE_BYTES, Math.max(0, end - from.offset)))
    let offset = from.offset
    while (offset < end) {
      const read = readSync(file, buffer, 0, Math.min(buffer.length, end - offset), offset)
      const whole = read === 0 ? 0 : buffer.lastIndexOf(NEWLINE, read - 1) + 1
      if (whole === 0) {
        if (read === 0 || offset + read >= end) return
        buffer = Buffer.allocUnsafe(buffer.length * 2)
        continue
      }
      offset += whole
      yield { text: buffer.toString('utf8', 0, whole), endOffset: offset }
    }
  } finally {
    closeSync(file)
  }
}
