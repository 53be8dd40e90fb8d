// The simulated provider in process: what a server without any key answers with, marked as simulated.

import type { ProviderConfig, Wire } from '../../../core/release/release.js'
import type {
  Provider,
  System,
  UpstreamCall,
  UpstreamListener,
  UpstreamRequest,
} from '../../../engine/ports.js'
import { SimulatedCall } from './simulated-call.js'
import type { SimRoute } from './sim-request.js'
import type { SimStats } from './sim-stats.js'
import { SimWorld } from './sim-world.js'

export type SimulatedProviderConfig = Extract<ProviderConfig, { readonly kind: 'simulated' }>

export interface SimulatedProvider extends Provider {
  /** What it served so far, counted as the HTTP simulator counts. */
  stats(): SimStats
}

/** Any other was never offered by `speaks`. */
function routeOf(wire: Wire): SimRoute {
  switch (wire) {
    case 'openai-chat':
    case 'openai-responses':
    case 'anthropic-messages':
    case 'openai-embeddings':
      return wire
    default:
      throw new Error(`the simulated provider does not speak ${wire}`)
  }
}

/**
 * Speaks every caller's wire by `request.wire`, and answers the bytes the HTTP simulator would. Honours the
 * head and idle timeouts as a connection would; the body of an answer has no limit here because the simulator
 * sets its own.
 */
export function createSimulatedProvider(
  config: SimulatedProviderConfig,
  options: { readonly system: System },
): SimulatedProvider {
  const { system } = options
  const world = new SimWorld(config.simulation, system)

  function send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const route = routeOf(request.wire)
    const script = world.open({ route, body: request.body, orders: request.headers['x-sim'] })
    return new SimulatedCall({
      request,
      listener,
      system,
      script,
      close: (played) => world.close(script, played),
    })
  }

  return {
    name: config.name,
    simulated: true,
    speaks: (wire) => wire,
    send,
    stats: () => world.stats(),
    close: () => Promise.resolve(),
  }
}
