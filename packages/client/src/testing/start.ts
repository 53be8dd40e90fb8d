// A client, its clock and the server it talks to: for the client's tests only.

import { onTestFinished } from 'vitest'
import { type Client, createClient } from '../client.js'
import type { OnDeviceOptions } from '../on-device/rule.js'
import { type ManualClock, createManualClock } from './manual-clock.js'
import { type Received, type Script, type ScriptedServer, startScriptedServer } from './scripted-server.js'
import { taskScript } from './task-script.js'

export interface Setting {
  readonly client: Client
  readonly clock: ManualClock
  readonly server: ScriptedServer
  readonly bodies: (ending: string) => unknown[]
}

export type Wrap = (script: Script) => Script

/** `models` answers what is not the control API; `wrap` may change any answer. Closed with the test. */
export async function start(
  models?: Script,
  wrap: Wrap = (script) => script,
  onDevice?: OnDeviceOptions,
): Promise<Setting> {
  const clock = createManualClock()
  const server = await startScriptedServer(wrap(taskScript(clock, models)))
  onTestFinished(() => server[Symbol.asyncDispose]())
  const bodies = (ending: string) =>
    server.received.filter(({ path }: Received) => path.endsWith(ending)).map(({ body }) => body)
  const options = { baseUrl: server.url, clock, ...(onDevice && { onDevice }) }
  return { clock, server, bodies, client: createClient(options) }
}
