// Holds that the journal has made and not settled, in order of making.

import type { HoldId } from '../../core/ids.js'
import type { HoldMade } from '../../core/task/records.js'
import type { BegunColumns, PackedCall } from './call-line.js'
import { Definitions } from './definitions.js'
import type { SettledColumns, SplitLine } from './lines.js'
import { type PackedHold, unpackHold } from './packed.js'
import { unpackBegunHold } from './unpack-call.js'

export class OpenHolds {
  readonly #holds = new Map<HoldId, HoldMade>()
  #definitions = new Definitions()

  list(): readonly HoldMade[] {
    return [...this.#holds.values()]
  }

  beginSegment(): void {
    this.#definitions = new Definitions()
  }

  /** A damaged line was told about by who files the entries; what it said cannot be known here either. */
  read(line: SplitLine): void {
    try {
      this.#take(line)
    } catch {
      // Left out, as the filing did.
    }
  }

  #take(line: SplitLine): void {
    switch (line.tag) {
      case 'K':
      case 'T':
        return this.#definitions.define(line)
      case 'H':
        return this.#made(unpackHold(JSON.parse(line.detail) as PackedHold))
      case 'B':
        return this.#begun(JSON.parse(line.columns) as BegunColumns)
      case 'S':
        return this.#settled((JSON.parse(line.columns) as SettledColumns)[1])
      case 'D':
        return this.#settled((JSON.parse(line.detail) as PackedCall)[1]?.[0])
    }
  }

  #begun(columns: BegunColumns): void {
    const definition = this.#definitions.terms(columns[7])
    if (definition !== null) this.#made(unpackBegunHold(columns, definition.terms))
  }

  #made(hold: HoldMade): void {
    this.#holds.set(hold.id, hold)
  }

  #settled(id: HoldId | undefined): void {
    if (id !== undefined) this.#holds.delete(id)
  }
}
