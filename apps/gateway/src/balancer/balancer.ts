// What the routes of load-balanced endpoints share: the open requests, and the kept connections to each worker.
import type { Agent } from 'node:http'
import type { Endpoint } from '@runyard/schema'
import type { WorkerPlaneDeps } from '../workers/routes.ts'
import { createDevSyncs, type DevSyncs } from './dev-sync.ts'
import { createWorkerAgent } from './forward.ts'
import { createOpenRequests, type OpenRequests } from './open-requests.ts'

export interface Balancer extends WorkerPlaneDeps, AsyncDisposable {
  readonly openRequests: OpenRequests
  readonly devSyncs: DevSyncs
  agentOf(endpoint: Endpoint, workerId: string): Agent
}

const DEFAULT_PORT = 80

/** Where the endpoint's server listens, as its template says (management §11). */
export function portOf({ spec }: Pick<Endpoint, 'spec'>): number {
  const port = Number(spec.env['PORT'])
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : DEFAULT_PORT
}

export function openBalancer(deps: WorkerPlaneDeps): Balancer {
  const openRequests = createOpenRequests(deps)
  const agents = new Map<string, Agent>()
  deps.tunnels.onChange(() => {
    for (const [workerId, agent] of agents) {
      if (deps.tunnels.has(workerId)) continue
      agent.destroy()
      agents.delete(workerId)
    }
  })
  return {
    ...deps,
    openRequests,
    devSyncs: createDevSyncs(),
    agentOf(endpoint, workerId) {
      const known = agents.get(workerId)
      if (known !== undefined) return known
      const agent = createWorkerAgent(deps.tunnels, { workerId, port: portOf(endpoint) })
      agents.set(workerId, agent)
      return agent
    },
    async [Symbol.asyncDispose]() {
      for (const agent of agents.values()) agent.destroy()
      await openRequests[Symbol.asyncDispose]()
    },
  }
}
