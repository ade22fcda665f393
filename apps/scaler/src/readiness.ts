// What each host is to have ready for the next starts, as its configuration says: while this scaler leads, for hosts that may get workers.
import type { HostView, Observed } from '@runyard/core'
import type { HostConfig, HostReadiness } from '@runyard/schema'
import type { HostWatch } from './host-watch.ts'

/** A start on its own finds one ready, and so does a second one right after it. */
const NETWORKS = 2
const NOTHING: HostReadiness = { networks: 0 }

export interface Readiness extends Disposable {
  note(observed: Pick<Observed, 'hosts' | 'shutdown'>): void
}

export interface ReadinessDeps {
  readonly hosts: { list(): readonly Pick<HostWatch, 'driver' | 'hostId' | 'config'>[] }
}

export function createReadiness({ hosts }: ReadinessDeps): Readiness {
  function readinessOf(view: HostView | undefined, config: HostConfig | undefined): HostReadiness {
    if (view === undefined || view.unready !== undefined || view.cordon !== undefined) return NOTHING
    return { networks: config?.kind === 'docker' ? (config.readyNetworks ?? NETWORKS) : NETWORKS }
  }

  return {
    note({ hosts: views, shutdown }) {
      for (const host of hosts.list()) {
        const view = shutdown ? undefined : views.find(({ hostId }) => hostId === host.hostId())
        host.driver.keepReady?.(readinessOf(view, host.config()))
      }
    },
    [Symbol.dispose]() {
      for (const { driver } of hosts.list()) driver.keepReady?.(undefined)
    },
  }
}
