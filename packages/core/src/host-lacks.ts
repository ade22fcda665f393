// What a host must have for the workers of an endpoint, whatever is free there. A host that lacks several is told the first of `LACKS`, by placement and by
// its explanation alike. Failure direction: what is not known of a host is not lacking; its start says so.
import type { EndpointSpec, HostInventory } from '@runyard/schema'
import { lacksRuntime, noRuntime } from './container-runtime.ts'
import { lacksPython, noPython } from './deployment.ts'
import { needsContainer } from './image-reference.ts'
import { describeVolumes, volumesOn, type ChosenStores, type VolumeNeeds } from './volume-placement.ts'

export interface HostNeeds extends Pick<EndpointSpec, 'image'> {
  readonly volumes?: VolumeNeeds | undefined
  readonly chosenStores?: ChosenStores | undefined
  /** The minor version of Python that its app was built for; absent: any. */
  readonly python?: string | undefined
  /** The container runtime that the configuration names; absent: the host's own. */
  readonly runtime?: string | undefined
}

/** As reasons of an endpoint, in the order in which they are told. */
export const LACKS = ['no_container_host', 'no_volume_host', 'no_python', 'no_runtime'] as const
export type Lack = (typeof LACKS)[number]

export function lacks(lack: Lack, needs: HostNeeds, host: HostInventory): boolean {
  return IS_LACKING[lack](needs, host)
}

const IS_LACKING: Readonly<Record<Lack, (needs: HostNeeds, host: HostInventory) => boolean>> = {
  no_container_host: ({ image }, { capabilities }) => needsContainer(image) && !capabilities.runsImages,
  no_volume_host: ({ volumes = [], chosenStores }, host) => volumesOn(host, volumes, chosenStores) === undefined,
  no_python: lacksPython,
  no_runtime: lacksRuntime,
}

/** Undefined: it can run the workers. */
export function firstLack(needs: HostNeeds, host: HostInventory): Lack | undefined {
  return LACKS.find((lack) => lacks(lack, needs, host))
}

/** One sentence about hosts that all lack it. */
export function noHostHas(lack: Lack, needs: HostNeeds, hosts: readonly HostInventory[]): string {
  return NO_HOST_HAS[lack](needs, hosts)
}

const NO_HOST_HAS: Readonly<Record<Lack, (needs: HostNeeds, hosts: readonly HostInventory[]) => string>> = {
  no_container_host: ({ image }, hosts) =>
    `the image ${image} brings its own handler, which needs a Docker host; ${namesOf(hosts)} runs processes only: start Docker, then Runyard again`,
  no_volume_host({ volumes = [] }, hosts) {
    const labelOf = (hostId: string) => nameOf(hosts.find((one) => one.hostId === hostId) ?? { hostId })
    return `no host has the volume ${describeVolumes(volumes, labelOf)}: ${namesOf(hosts)}`
  },
  no_python: noPython,
  no_runtime: noRuntime,
}

const namesOf = (hosts: readonly HostInventory[]): string => hosts.map(nameOf).join(', ')

/** The name that the operator knows. */
export function nameOf({ label, hostId }: Pick<HostInventory, 'label' | 'hostId'>): string {
  return label ?? hostId
}
