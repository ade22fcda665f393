// How much a worker may write. Where the engine can limit a container it does; elsewhere the scaler looks, and ends a worker that is over.
import type { EndpointSpec, ObservedWorker } from '@runyard/schema'

const GIB = 2 ** 30

/** Undefined: the endpoint asked for no size. */
export function diskBytesOf({ diskGb }: Pick<EndpointSpec, 'diskGb'>): number | undefined {
  return diskGb === null ? undefined : diskGb * GIB
}

/** A worker whose size is not known is not over it. */
export function isOverDisk(spec: Pick<EndpointSpec, 'diskGb'>, { diskBytes }: Pick<ObservedWorker, 'diskBytes'>): boolean {
  const limit = diskBytesOf(spec)
  return limit !== undefined && diskBytes !== undefined && diskBytes > limit
}
