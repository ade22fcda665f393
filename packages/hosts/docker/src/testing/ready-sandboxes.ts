import type Docker from 'dockerode'
import { vi } from 'vitest'
import { LABELS, sandboxOf } from '../container-spec.ts'

/** Waits until an installation has exactly so many running sandboxes that no worker has joined; returns their ids. */
export async function readySandboxes(docker: Docker, instanceId: string, count: number): Promise<readonly string[]> {
  let ids: readonly string[] = []
  await vi.waitFor(
    async () => {
      const containers = await docker.listContainers({ all: true, filters: { label: [`${LABELS.instance}=${instanceId}`] } })
      const joined = new Set(containers.map(({ HostConfig }) => sandboxOf(HostConfig)))
      const free = containers.filter(({ Id, Labels }) => Labels[LABELS.sandbox] !== undefined && !joined.has(Id))
      ids = free.filter(({ State }) => State === 'running').map(({ Id }) => Id)
      if (free.length !== count || ids.length !== count)
        throw new Error(`${ids.length} of ${free.length} sandboxes are ready, not ${count}`)
    },
    { timeout: 30_000, interval: 50 },
  )
  return ids
}
