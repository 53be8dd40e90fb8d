// What the books keep of a release: how each of its deployments is hosted and what owning it costs. A release
// is known by its id alone once the configuration has moved on, and a report about last week has to say what
// was so last week.

import { nanoFromUsd } from '../money/nano.js'
import type { Deployment, Hosting, Release } from './release.js'

export interface ServedDeployment {
  /** `provider/model`. Two models of a release may share it: it is the same capacity. */
  readonly deployment: string
  readonly provider: string
  readonly hosting: Hosting
  /** null: not owned by the hour. */
  readonly nanoUsdPerHour: number | null
  /** Calls at a time. null: not limited. */
  readonly concurrency: number | null
}

/** In order of their ids, each once. */
export function servedDeployments(
  release: Pick<Release, 'models' | 'providers'>,
): readonly ServedDeployment[] {
  const served = new Map<string, ServedDeployment>()
  for (const { deployments } of release.models.values()) {
    for (const deployment of deployments) {
      const hosting = release.providers.get(deployment.provider)?.hosting
      if (hosting === undefined) continue
      served.set(deployment.id, merged(servedFrom(deployment, hosting), served.get(deployment.id)))
    }
  }
  return [...served.values()].toSorted((a, b) => (a.deployment < b.deployment ? -1 : 1))
}

function servedFrom({ id, provider, usdPerHour, limits }: Deployment, hosting: Hosting): ServedDeployment {
  const nanoUsdPerHour = usdPerHour === null ? null : nanoFromUsd(usdPerHour)
  return { deployment: id, provider, hosting, nanoUsdPerHour, concurrency: limits.concurrency }
}

/** Said twice, the hours are paid once: the dearer of two rates, and the wider of two limits. */
function merged(one: ServedDeployment, other: ServedDeployment | undefined): ServedDeployment {
  if (other === undefined) return one
  const rates = [one.nanoUsdPerHour, other.nanoUsdPerHour].filter((rate) => rate !== null)
  const isLimited = one.concurrency !== null && other.concurrency !== null
  return {
    ...one,
    nanoUsdPerHour: rates.length === 0 ? null : Math.max(...rates),
    concurrency: isLimited ? Math.max(one.concurrency, other.concurrency) : null,
  }
}
