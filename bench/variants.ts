// What is compared with what, and the targets.

import type { LoadJob } from './load-generator.js'
import type { Started } from './processes.js'
import { chatJob } from './requests.js'

/** The processes under test; Spillway's are null when it is not built. */
export interface Gateways {
  readonly upstream: Started
  readonly bare: Started
  readonly spillway: Started | null
  readonly exporting: Started | null
  /** A task of `spillway` whose budget is used up, or null. */
  readonly exhaustedTask: string | null
}

export interface Variant {
  readonly name: string
  readonly what: string
  /** null: nothing stands between load and upstream, so there is no CPU to compare. */
  readonly gateway: Started | null
  readonly expectStatus: string
  readonly job: LoadJob
  readonly compare: { readonly to: string; readonly atMost: number } | null
}

export interface RoundSize {
  readonly json: number
  readonly streams: number
}

const JSON_TARGET = 1.6
const EXPORT_TARGET = 1.9
const STREAM_TARGET = 1.35
const REFUSED_TARGET = 0.5

function baselines({ upstream, bare }: Gateways, size: RoundSize): readonly Variant[] {
  const base = { expectStatus: '200', compare: null }
  const json = { model: 'bench-small', stream: false, requests: size.json }
  const sse = { model: 'bench-small', stream: true, requests: size.streams }
  return [
    { ...base, name: 'direct-json', what: 'no gateway', gateway: null, job: chatJob(upstream.url, json) },
    { ...base, name: 'bare-json', what: 'node:http + undici', gateway: bare, job: chatJob(bare.url, json) },
    { ...base, name: 'direct-sse', what: 'no gateway', gateway: null, job: chatJob(upstream.url, sse) },
    { ...base, name: 'bare-sse', what: 'node:http + undici', gateway: bare, job: chatJob(bare.url, sse) },
  ]
}

function served(gateway: Started, size: RoundSize, exporting: boolean): readonly Variant[] {
  const name = exporting ? 'spillway-otlp' : 'spillway'
  const what = exporting ? 'everything on, OTLP export' : 'everything on'
  const base = { what, gateway, expectStatus: '200' }
  const json = { model: 'support_reply', stream: false, requests: size.json }
  const sse = { model: 'support_reply', stream: true, requests: size.streams }
  const jsonTarget = exporting ? EXPORT_TARGET : JSON_TARGET
  const compareJson = { to: 'bare-json', atMost: jsonTarget }
  const variants = [{ ...base, name: `${name}-json`, job: chatJob(gateway.url, json), compare: compareJson }]
  if (exporting) return variants
  const compareSse = { to: 'bare-sse', atMost: STREAM_TARGET }
  return [...variants, { ...base, name: `${name}-sse`, job: chatJob(gateway.url, sse), compare: compareSse }]
}

function refused(gateway: Started, size: RoundSize, exhaustedTask: string): readonly Variant[] {
  const request = { model: 'counted', stream: false, requests: size.json }
  const base = { gateway, compare: { to: 'spillway-json', atMost: REFUSED_TARGET } }
  const exhausted = chatJob(gateway.url, { ...request, headers: { 'x-spillway-task-id': exhaustedTask } })
  const unknown = chatJob(gateway.url, { ...request, headers: { authorization: 'Bearer nobody' } })
  return [
    { ...base, name: 'refused-budget', what: 'budget exhausted', expectStatus: '429', job: exhausted },
    { ...base, name: 'refused-key', what: 'unknown key', expectStatus: '401', job: unknown },
  ]
}

/** In the order they run within a round: what is compared stands close together. */
export function variantsOf(gateways: Gateways, size: RoundSize): readonly Variant[] {
  const { spillway, exporting, exhaustedTask } = gateways
  const all = [
    ...baselines(gateways, size),
    ...(spillway === null ? [] : served(spillway, size, false)),
    ...(exporting === null ? [] : served(exporting, size, true)),
    ...(spillway === null || exhaustedTask === null ? [] : refused(spillway, size, exhaustedTask)),
  ]
  const rank = (variant: Variant): number => (variant.name.endsWith('-sse') ? 1 : 0)
  return all.toSorted((one, other) => rank(one) - rank(other))
}

/** The named variants and the ones they are compared with. Names match by substring. */
export function selectVariants(variants: readonly Variant[], only: readonly string[]): readonly Variant[] {
  if (only.length === 0) return variants
  const chosen = variants.filter(({ name }) => only.some((part) => name.includes(part)))
  const needed = new Set(
    chosen.flatMap(({ name, compare }) => (compare === null ? [name] : [name, compare.to])),
  )
  return variants.filter(({ name }) => needed.has(name))
}
