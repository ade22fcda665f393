// The builds of deployed apps on an engine (ADR 65): each is a volume that is filled once from the app's archive, through the engine's API alone, and
// mounted read-only into the workers. What goes in are plain files and directories, owned by root; or the archive as it is, for images that unpack it.
import { pipeline } from 'node:stream/promises'
import { onceAtATime, readArchive } from '@runyard/kit'
import type { BuildPlacement, HostDriver } from '@runyard/schema'
import type Docker from 'dockerode'
import { ARCHIVE_NAME, buildVolume, LABELS } from './container-spec.ts'
import { ensureFilled, putFiles, removeVolume } from './filled-volume.ts'
import type { tarOf } from './tar.ts'

/** An archive of 1.5 GB over a slow line takes that long. */
const STALE_FILLER_MS = 15 * 60_000

export type Builds = Required<Pick<HostDriver, 'placeBuild' | 'builds' | 'removeBuild'>>

/** `docker`: without a time limit of its own. */
export function createBuilds(docker: Docker, instanceId: string): Builds {
  return {
    placeBuild: onceAtATime(
      ({ id, isPacked }) => `${id} ${isPacked === true}`,
      (build: BuildPlacement) => place(docker, instanceId, build),
    ),
    async builds() {
      const volumes = await listVolumes(docker, instanceId, [LABELS.build])
      return [...new Set(volumes.flatMap(({ Labels }) => Labels[LABELS.build] ?? []))]
    },
    async removeBuild(id) {
      const removed = [false, true].map((isPacked) => removeVolume(docker, buildVolume(instanceId, { id, isPacked })))
      return (await Promise.all(removed)).every(Boolean)
    },
  }
}

/** With the caches of its workers; models stay, as they take hours to fetch. Called when no worker of the installation is left. */
export async function removeBuilds(docker: Docker, instanceId: string): Promise<void> {
  const removable = (await listVolumes(docker, instanceId)).filter(({ Labels }) => Labels[LABELS.model] === undefined)
  await Promise.all(removable.map(({ Name }) => removeVolume(docker, Name)))
}

export async function listVolumes(
  docker: Docker,
  instanceId: string,
  labels: readonly string[] = [],
): Promise<readonly Docker.VolumeInspectInfo[]> {
  return volumesWith(docker, [`${LABELS.instance}=${instanceId}`, ...labels])
}

/** Volumes with all of the labels, of any installation. */
export async function volumesWith(docker: Docker, label: readonly string[]): Promise<readonly Docker.VolumeInspectInfo[]> {
  // Engines report a missing list as null.
  const found: { Volumes: readonly Docker.VolumeInspectInfo[] | null } = await docker.listVolumes({ filters: { label: [...label] } })
  return found.Volumes ?? []
}

async function place(docker: Docker, instanceId: string, build: BuildPlacement): Promise<void> {
  await ensureFilled(docker, {
    name: buildVolume(instanceId, build),
    labels: { [LABELS.instance]: instanceId, [LABELS.build]: build.id },
    staleMs: STALE_FILLER_MS,
    async fill(filler) {
      const isPacked = build.isPacked === true
      build.onProgress(`${isPacked ? 'copying' : 'unpacking'} the app (${(build.sizeBytes / 1e6).toFixed(1)} MB)`)
      const archive = await build.open()
      await putFiles(filler, (tar) =>
        isPacked ? pipeline(archive, tar.entry({ name: ARCHIVE_NAME, size: build.sizeBytes })) : repack(archive, tar),
      )
    },
  })
}

async function repack(archive: AsyncIterable<Uint8Array>, tar: Parameters<Parameters<typeof tarOf>[0]>[0]): Promise<void> {
  for await (const { path, kind, isExecutable, size, content } of readArchive(archive)) {
    if (kind === 'directory') tar.entry({ name: path, type: 'directory', mode: 0o755 })
    else await pipeline(content, tar.entry({ name: path, mode: isExecutable ? 0o755 : 0o644, size }))
  }
}
