// What a self-hosted server tells beside its API: its models, that it is up, and how busy it is. The bytes are
// those that the parsers are tested with.

import { readFile } from 'node:fs/promises'
import type { VendorAnswer, VendorCall } from './front.js'

export interface AboutItself {
  /** A file of `wire/fixtures/model-list/`. */
  readonly models: string
  /** The path that answers while it is up. */
  readonly up: '/health' | '/api/version'
  /** A file of `wire/fixtures/server-load/`; null: it has none. */
  readonly metrics: string | null
}

/** null: it was asked for something else. */
export async function tellAboutItself(about: AboutItself, call: VendorCall): Promise<VendorAnswer | null> {
  if (call.method !== 'GET') return null
  const ok = (body: string, type: string) => ({ status: 200, headers: { 'content-type': type }, body })
  if (call.path === '/v1/models') return ok(await fixture(`model-list/${about.models}`), 'application/json')
  if (call.path === '/metrics' && about.metrics !== null)
    return ok(await fixture(`server-load/${about.metrics}`), 'text/plain; version=0.0.4')
  if (call.path !== about.up) return null
  return ok(about.up === '/health' ? '' : '{"version":"0.12.6"}', 'application/json')
}

function fixture(name: string): Promise<string> {
  const folder = new URL('../../../packages/server/src/wire/fixtures/', import.meta.url)
  return readFile(new URL(name, folder), 'utf8')
}
