// A source of hosts that never change.
import type { HostConfig, HostDriver, HostSource } from '@runyard/schema'

/** Closes the drivers when it is closed. */
export function staticSource(drivers: readonly HostDriver[], configs: readonly HostConfig[] = []): HostSource {
  return {
    list: () => drivers,
    configOf: ({ label }) => configs.find(({ id }) => id === label),
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    async [Symbol.asyncDispose]() {
      await Promise.all(drivers.map((driver) => driver[Symbol.asyncDispose]()))
    },
  }
}
