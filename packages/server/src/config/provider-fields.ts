// Keys that every kind of provider has, and how an address is read.

import type { Hosting, ProviderCommon, ProviderConfig } from '../core/release/release.js'
import {
  flag,
  mapOf,
  oneOf,
  optional,
  type Reader,
  required,
  secret,
  text,
  type Values,
  whole,
} from './readers.js'

export type ProviderKind = ProviderConfig['kind']

const HOSTINGS = ['hosted', 'serverless', 'self-hosted', 'on-device'] as const satisfies readonly Hosting[]
const TIMEOUT_MS_DEFAULT = 60_000
const TIMEOUT_MS_MAX = 3_600_000

/** An http(s) address without its trailing slash, so that paths can be appended. */
export const address: Reader<string> = {
  fallback: 'https://host',
  read(tree, problems) {
    const url = normalBaseUrl(text.read(tree, problems))
    if (url !== null) return url
    problems.add(tree.offset, 'must be an address such as `https://host/v1`')
    return address.fallback
  },
}

export function normalBaseUrl(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') return null
  return url.href.replace(/\/+$/, '')
}

export const COMMON = {
  kind: required(text),
  hosting: optional(oneOf(HOSTINGS, 'hosting')),
  region: optional(text),
  /** Days the provider keeps prompts. Default: not known. */
  retention_days: optional(whole('days', 0)),
  trains_on_data: optional(flag),
  /** Longest wait for the first byte of one attempt, ms. Default 60000. */
  timeout_ms: optional(whole('ms', 1, TIMEOUT_MS_MAX), TIMEOUT_MS_DEFAULT),
  headers: optional(mapOf(secret)),
}

export type Common = Omit<Values<typeof COMMON>, 'kind'>

const DEFAULT_HOSTING: Readonly<Record<ProviderKind, Hosting>> = {
  openai: 'hosted',
  anthropic: 'hosted',
  gemini: 'hosted',
  'openai-compatible': 'self-hosted',
  azure: 'serverless',
  bedrock: 'serverless',
  vertex: 'serverless',
  simulated: 'self-hosted',
  'on-device': 'on-device',
}

export function common(name: string, kind: ProviderKind, values: Common | null): ProviderCommon {
  return {
    name,
    hosting: values?.hosting ?? DEFAULT_HOSTING[kind],
    region: values?.region ?? null,
    retentionDays: values?.retention_days ?? null,
    trainsOnData: values?.trains_on_data ?? null,
    timeoutMs: values?.timeout_ms ?? TIMEOUT_MS_DEFAULT,
    headers: Object.fromEntries(values?.headers ?? []),
  }
}
