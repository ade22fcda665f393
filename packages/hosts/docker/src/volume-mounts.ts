// The volumes of a worker on an engine (ADR 71): a Docker volume each, or a directory of the engine's machine that the operator names. Both are made by the
// engine itself with the first container that mounts them, so remote engines need nothing else.
import type { VolumeMount } from '@runyard/schema'
import type Docker from 'dockerode'

/** On the volumes with data of endpoints, whichever installation has them. */
export const VOLUME_LABEL = 'runyard.volume'

export const volumeName = (volumeId: string): string => `runyard-volume-${volumeId}`

/** For HostConfig: `Binds` makes a missing directory, `Mounts` labels a new volume. */
export function volumeMounts(mounts: readonly VolumeMount[] = []): { readonly Binds?: string[]; readonly Mounts: Docker.MountConfig } {
  const binds = mounts.flatMap(({ directory, path, readOnly }) =>
    directory === undefined ? [] : [`${directory}:${path}${readOnly ? ':ro' : ''}`],
  )
  const named = mounts.flatMap(({ directory, volumeId, path, readOnly }) =>
    directory === undefined
      ? [{ Type: 'volume' as const, Source: volumeName(volumeId), Target: path, ReadOnly: readOnly, ...labelled(volumeId) }]
      : [],
  )
  return { ...(binds.length > 0 && { Binds: binds }), Mounts: named }
}

function labelled(volumeId: string) {
  return {
    VolumeOptions: { NoCopy: true, Labels: { [VOLUME_LABEL]: volumeId }, DriverConfig: { Name: 'local', Options: {} } },
  }
}
