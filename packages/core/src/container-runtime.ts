// Which container runtime the workers of an endpoint have, e.g. gVisor's, and which hosts can give it to them.
import type { Config, HostInventory } from '@runyard/schema'

/** By id: names are their owner's to choose. Undefined: the host's own. */
export function runtimeOf({ runtimes }: Pick<Config, 'runtimes'>, endpointId: string): string | undefined {
  return runtimes[endpointId] ?? runtimes['*']
}

interface RuntimeNeed {
  readonly runtime?: string | undefined
}

/** An engine takes a shim of containerd by its name, e.g. `io.containerd.kata.v2`, without listing it. */
export const namesShim = (runtime: string): boolean => runtime.includes('.')

/** A host without any starts no containers. */
export function lacksRuntime({ runtime }: RuntimeNeed, { runtimes }: Pick<HostInventory, 'runtimes'>): boolean {
  if (runtime === undefined || runtimes === undefined || runtimes.includes(runtime)) return false
  return runtimes.length === 0 || !namesShim(runtime)
}

export function noRuntime({ runtime = '' }: RuntimeNeed, hosts: readonly Pick<HostInventory, 'label' | 'hostId'>[]): string {
  const names = hosts.map(({ label, hostId }) => label ?? hostId).join(', ')
  return `no host has the container runtime ${runtime}, which the setting runtimes names: ${names}`
}
