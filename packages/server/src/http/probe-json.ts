// What a probe of the deployments showed, as the control API says it.

import { type DeploymentProbe, type ProbeJson, type ProviderProbe, usdFromNano } from '@spillway/protocol'
import type { Release } from '../core/release/release.js'
import type { ProviderFacts } from '../engine/ports.js'
import type { Probed, Probes } from '../engine/probe/probe.js'

export function probeJson(release: Release, probes: Probes): ProbeJson {
  const deployments = probes.deployments.map((one) => deploymentJson(release, one))
  const providers = [...probes.providers].map(([name, facts]) => providerJson(release, name, facts))
  return { usable: deployments.every(({ usable }) => usable), providers, deployments }
}

function providerJson(release: Release, provider: string, facts: ProviderFacts): ProviderProbe {
  const { models, health, load, untold } = facts
  return {
    provider,
    kind: release.providers.get(provider)?.kind ?? 'unknown',
    models: models?.ids ?? null,
    models_complete: models?.isComplete ?? false,
    health,
    load:
      load === null
        ? null
        : {
            server: load.server,
            running: load.running,
            waiting: load.waiting,
            cache_used_share: load.cacheUsedShare,
          },
    untold,
  }
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
    listed: probed.listed,
    hint: probed.hint,
    status: probed.status,
    end: probed.end,
    reason: probed.reason,
    latency_ms: probed.latencyMs,
    limits,
    cost_usd: nanoUsd === null ? null : usdFromNano(nanoUsd),
  }
}
