// The gateway's part in webhooks: a courier that delivers, woken by signals of new events.
import type { GatewayDeps } from '../parts/deps.ts'
import { createCourier } from './delivery-loop.ts'
import { createDelivery } from './delivery.ts'
import type { Resolve } from './name-lookup.ts'

/** An attempt is written down well before its lease ends, also by a busy gateway. */
const LEASE_MARGIN_MS = 5000

export function openWebhooks(deps: GatewayDeps, resolve: Resolve): AsyncDisposable {
  const courier = createCourier({
    webhooks: deps.store.webhooks,
    ownerOf: async (endpointId) => (await deps.endpoints.get(endpointId))?.ownerId,
    deliver: createDelivery({ ...deps, resolve }),
    leaseMs: deps.config.webhooks.timeoutS * 1000 + LEASE_MARGIN_MS,
    log: deps.log,
  })
  const subscription = deps.store.subscribe((signal) => {
    if (signal.kind === 'webhook-due') courier.wake(signal.endpointId)
    if (signal.kind === 'resync') courier.wakeAll()
  })
  return {
    async [Symbol.asyncDispose]() {
      await subscription[Symbol.asyncDispose]()
      await courier[Symbol.asyncDispose]()
    },
  }
}
