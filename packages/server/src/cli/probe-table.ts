// `spillway providers --probe`: what one tiny call to each deployment showed, and why those that are not
// usable are not.

import type { DeploymentProbe, ProbeJson, ProviderProbe, RateLimit } from '@spillway/protocol'
import { isObject } from '../core/json.js'
import type { Question } from './client.js'
import { UNKNOWN, count, duration, percent } from './format.js'
import type { Paint } from './paint.js'
import { plainTable } from './plain-table.js'

/** The server asks its deployments in turns, and each may take its time. */
const PROBE_TIMEOUT_MS = 300_000

export function probeQuestion(paint: Paint): Question {
  return {
    path: '/v1/providers/probe',
    method: 'POST',
    timeoutMs: PROBE_TIMEOUT_MS,
    render: (body) => (isProbe(body) ? renderProbe(body, paint) : null),
    isYes: (body) => isProbe(body) && body.usable,
  }
}

function isProbe(body: unknown): body is ProbeJson {
  if (!isObject(body) || typeof body['usable'] !== 'boolean') return false
  return Array.isArray(body['deployments']) && Array.isArray(body['providers'])
}

export function renderProbe({ deployments, providers }: ProbeJson, paint: Paint): string {
  if (deployments.length === 0) return 'No deployment is configured.'
  const faults = deployments
    .filter(({ usable }) => !usable)
    .map(({ deployment, reason }) => `${paint.red(deployment)}: ${reason ?? 'unknown reason'}`)
  const hints = deployments.flatMap(({ deployment, hint }) =>
    hint === null ? [] : [`${paint.yellow(deployment)}: ${hint}`],
  )
  const parts = [deploymentTable(deployments, paint)]
  if (providers.length > 0) parts.push(providerTable(providers, paint))
  const lines = [...faults, ...hints]
  if (lines.length > 0) parts.push(lines.join('\n'))
  return parts.join('\n\n')
}

function deploymentTable(deployments: readonly DeploymentProbe[], paint: Paint): string {
  const left = ['deployment', 'kind', 'approach', 'region', 'reachable', 'authorised', 'model', 'listed']
  const right = ['latency', 'requests left', 'tokens left', 'cost']
  return plainTable(
    [...left.map(toLeft), ...right.map((head) => ({ head })), toLeft('')],
    deployments.map((one) => cells(one, paint)),
    paint,
  )
}

/** What the providers told about themselves; the numbers are of a self-hosted server. */
function providerTable(providers: readonly ProviderProbe[], paint: Paint): string {
  const right = ['models', 'running', 'waiting', 'cache used']
  const rows = providers.map(({ provider, kind, models, models_complete: all, health, load }) => [
    provider,
    kind,
    load?.server ?? UNKNOWN,
    health === null ? UNKNOWN : health === 'ok' ? paint.green('ok') : paint.red('not ready'),
    models === null ? UNKNOWN : `${count(models.length)}${all ? '' : '+'}`,
    count(load?.running ?? null),
    count(load?.waiting ?? null),
    percent(load?.cache_used_share ?? null),
  ])
  const left = ['provider', 'kind', 'server', 'health'].map(toLeft)
  return plainTable([...left, ...right.map((head) => ({ head }))], rows, paint)
}

function toLeft(head: string) {
  return { head, align: 'left' as const }
}

function cells(probe: DeploymentProbe, paint: Paint): string[] {
  const { limits, cost_usd: cost } = probe
  return [
    probe.deployment,
    probe.kind,
    probe.hosting,
    probe.region ?? UNKNOWN,
    yes(probe.reachable, paint),
    yes(probe.authorised, paint),
    probe.model_known === false ? paint.red('unknown') : yes(probe.model_known, paint),
    probe.listed === false ? paint.yellow('no') : yes(probe.listed, paint),
    duration(probe.latency_ms),
    quota(limits?.requests),
    quota(limits?.tokens),
    cost === null ? UNKNOWN : `$${cost.toFixed(6)}`,
    probe.simulated ? paint.yellow('simulated') : '',
  ]
}

function yes(value: boolean | null, paint: Paint): string {
  if (value === null) return UNKNOWN
  return value ? paint.green('yes') : paint.red('no')
}

/** `499/500`, or what is known of it. */
function quota(told: RateLimit | undefined): string {
  if (told === undefined || (told.left === null && told.limit === null)) return UNKNOWN
  return told.limit === null ? count(told.left) : `${count(told.left)}/${count(told.limit)}`
}
