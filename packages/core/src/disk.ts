// How much a worker may write to disk. Where the engine cannot limit a container, the scaler measures it and retires a worker over its limit.
import type { EndpointSpec, ObservedWorker } from '@runyard/schema'

const GIB = 2 ** 30

/** Undefined: the endpoint asked for no size. */
export function diskBytesOf({ diskGb }: Pick<EndpointSpec, 'diskGb'>): number | undefined {
  return diskGb === null ? undefined : diskGb * GIB
}

/** False if the worker's disk usage is unknown. */
export function isOverDisk(spec: Pick<EndpointSpec, 'diskGb'>, { diskBytes }: Pick<ObservedWorker, 'diskBytes'>): boolean {
  const limit = diskBytesOf(spec)
  return limit !== undefined && diskBytes !== undefined && diskBytes > limit
}
