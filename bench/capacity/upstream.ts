// A provider whose speed depends on its load: each deployment is a batching model behind its own port, which
// answers OpenAI's chat format, streamed or whole. A control port slows one down, lets it vanish, and counts
// the tokens it computed. How long an answer is says its prompt: "[[out=37]]".
// Usage: upstream.js '{"deployments": 1, "model": {...}}'

import { createServer } from 'node:http'
import { endWithParent, portOf } from '../processes.js'
import type { BatchingOptions } from './batching-model.js'
import { Deployment } from './upstream-deployment.js'
import type { Knobs } from './upstream-control.js'

interface UpstreamOptions {
  readonly deployments: number
  readonly model: BatchingOptions
}

const options = JSON.parse(process.argv[2] ?? '{}') as UpstreamOptions
const deployments = Array.from({ length: options.deployments }, () => new Deployment(options.model))

async function turn({ deployment, slowDown, vanished, drop }: Knobs): Promise<void> {
  const chosen = deployment === null ? deployments : deployments.slice(deployment, deployment + 1)
  for (const each of chosen) {
    if (slowDown !== undefined) each.slowDown = slowDown
    if (drop === true) each.drop()
    if (vanished === true) await each.vanish()
    if (vanished === false) await each.appear()
  }
}

const control = createServer((request, response) => {
  const pieces: Buffer[] = []
  request.on('data', (piece: Buffer) => pieces.push(piece))
  request.on('end', () => {
    const done =
      request.method === 'POST' ? turn(JSON.parse(Buffer.concat(pieces).toString()) as Knobs) : null
    void Promise.resolve(done).then(() =>
      response.end(JSON.stringify(deployments.map((each) => each.stats()))),
    )
  })
})

endWithParent()
for (const deployment of deployments) {
  await deployment.appear()
  process.stdout.write(`deployment on http://127.0.0.1:${deployment.port}\n`)
}
control.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${portOf(control)}\n`)
})
