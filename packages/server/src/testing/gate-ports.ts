// Ports with a gate in front: a test can break or delay any call, as a slow disk or a remote ledger would.

import type { MemoryLedger } from '../core/budget/memory-ledger.js'
import type { Books, Ledger } from '../engine/ports.js'

/** Runs before the call of the port it names: throw to break the call, return a promise to delay it. */
export type AtPort = (port: string) => void | Promise<void>

/**
 * The ledger as a remote one would be: promises and settlements take their time. `ledger.held` stands between
 * a promise that was made and the news of it.
 */
export function gateLedger(ledger: MemoryLedger, atPort: AtPort): Ledger {
  return {
    open(account, limits, spent) {
      void atPort('ledger.open')
      ledger.open(account, limits, spent)
    },
    async holdFitting(id, accounts, fit) {
      await atPort('ledger.hold')
      const held = ledger.holdFitting(id, accounts, fit)
      await atPort('ledger.held')
      return held
    },
    async settle(id, actual) {
      await atPort('ledger.settle')
      ledger.settle(id, actual)
    },
    async charge(accounts, amounts) {
      await atPort('ledger.charge')
      ledger.charge(accounts, amounts)
    },
    read(account) {
      void atPort('ledger.read')
      return ledger.read(account)
    },
    close(account) {
      void atPort('ledger.close')
      ledger.close(account)
    },
  }
}

export function gateBooks(books: Books, atPort: AtPort): Books {
  return {
    get failed() {
      return books.failed
    },
    write(entry) {
      void atPort(`books.write:${entry.kind}`)
      books.write(entry)
    },
    async durable() {
      await atPort('books.durable')
      await books.durable()
    },
    saveContent: (content) => books.saveContent(content),
    close: () => books.close(),
  }
}
