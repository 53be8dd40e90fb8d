// What a probe of the deployments showed, as the control API says it.

import { type DeploymentProbe, type ProbeJson, usdFromNano } from '@spillway/protocol'
import type { Release } from '../core/release/release.js'
import type { Probed } from '../engine/probe/probe.js'

export function probeJson(release: Release, probed: readonly Probed[]): ProbeJson {
  const deployments = probed.map((one) => deploymentJson(release, one))
  return { usable: deployments.every(({ usable }) => usable), deployments }
}

function deploymentJson(release: Release, probed: Probed): DeploymentProbe {
  const { model, deployment, limits, nanoUsd } = probed
  const provider = release.providers.get(deployment.provider)
  return {
    deployment: deployment.id,
    model: model.name,
    provider: deployment.provider,
    kind: provider?.kind ?? 'unknown',
    hosting: provider?.hosting ?? 'unknown',
    region: provider?.region ?? null,
    simulated: probed.simulated,
    usable: probed.usable,
    reachable: probed.reachable,
    authorised: probed.authorised,
    model_known: probed.modelKnown,
    status: probed.status,
    end: probed.end,
    reason: probed.reason,
    latency_ms: probed.latencyMs,
    limits,
    cost_usd: nanoUsd === null ? null : usdFromNano(nanoUsd),
  }
}
