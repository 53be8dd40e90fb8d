// What of an application's values and errors may be sent along: JSON of bounded size, and never an error's
// message, which may quote a customer.

import { REQUEST_LIMITS } from '@spillway/protocol'
import { SpillwayError } from './spillway-error.js'

const encoder = new TextEncoder()

/** The value if it is plain JSON of at most `bytesMax` bytes, else undefined: it is left out, not cut. */
export function plainJson(value: unknown, bytesMax: number): unknown {
  if (!isPlain(value)) return undefined
  try {
    const text = JSON.stringify(value)
    return encoder.encode(text).length <= bytesMax ? value : undefined
  } catch {
    // Circular, or holding what JSON cannot (a BigInt): not something to send.
    return undefined
  }
}

// Instances of classes print as JSON that means nothing (`{}` for a Response), so only plain ones count.
function isPlain(value: unknown): boolean {
  if (Array.isArray(value) || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** The name of an error. Of our own errors also code and message, which never hold content. */
export function nameOfError(error: unknown): string {
  const name = error instanceof SpillwayError ? `${error.code}: ${error.message}` : bareName(error)
  return name.slice(0, REQUEST_LIMITS.reasonLengthMax)
}

function bareName(error: unknown): string {
  return error instanceof Error && error.name !== '' ? error.name : 'Error'
}
