// What the server says when it starts: where it is, what it runs on, and one line to try.

import type { Spillway } from '../compose.js'
import { resolve } from 'node:path'

interface About {
  readonly dataDir: string
  readonly isFile: boolean
}

/** The same for programs, on one line. */
export function startUpJson(spillway: Spillway, { dataDir, isFile }: About): string {
  const release = spillway.release()
  const providers = [...release.providers.values()].map(({ name, kind }) => ({ name, kind }))
  return JSON.stringify({
    url: spillway.url,
    configuration: isFile ? resolve(release.source) : null,
    release: release.id,
    providers,
    data: resolve(dataDir),
    simulated: providers.some(({ kind }) => kind === 'simulated'),
    recovered: spillway.store.recovery,
    warnings: release.warnings,
  })
}

export function startUpText(spillway: Spillway, about: About): string {
  const release = spillway.release()
  const { recovery } = spillway.store
  const simulated = [...release.providers.values()].some((provider) => provider.kind === 'simulated')
  const task = [...release.contracts.keys()].find((name) => name !== 'default')
  const providers = [...release.providers.values()].map((provider) => `${provider.name} (${provider.kind})`)
  const lines = [
    `Spillway ${spillway.url}`,
    `  configuration  ${about.isFile ? resolve(release.source) : 'built-in (write spillway.yaml to change it)'}`,
    `  release        ${release.id}`,
    `  providers      ${providers.join(', ') || 'none'}`,
    `  data           ${resolve(about.dataDir)}`,
  ]
  if (simulated)
    lines.push('  SIMULATED      answers come from the built-in simulated provider, not from a model')
  if (recovery.settledHolds > 0 || recovery.closedTasks > 0) {
    lines.push(
      `  recovered      ${recovery.settledHolds} open holds settled at their worst case, ${recovery.closedTasks} tasks closed`,
    )
  }
  lines.push(...release.warnings.map((warning) => `  warning        ${warning}`))
  return [
    ...lines,
    '',
    'Try it:',
    `  ${curlLine(spillway.url, { task, hasTenants: release.tenants.size > 0 })}`,
    '',
  ].join('\n')
}

function curlLine(
  url: string,
  about: { readonly task: string | undefined; readonly hasTenants: boolean },
): string {
  const body = JSON.stringify({
    model: about.task ?? 'small',
    messages: [{ role: 'user', content: 'My card was charged twice. What now?' }],
  })
  const key = about.hasTenants ? ` -H "authorization: Bearer $SPILLWAY_KEY"` : ''
  return `curl -s ${url}/v1/chat/completions -H 'content-type: application/json'${key} -d '${body}'`
}
