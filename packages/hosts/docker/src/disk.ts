// Limits how much a container may write. Some storage drivers can (overlay2 on xfs with pquota, btrfs, zfs), but no engine reports it, so the first
// worker tries. On other engines the containers are measured regularly, and the scaler retires workers over their limit.
import type { WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { LABELS } from './container-spec.ts'
import { messageOf } from './docker-errors.ts'

export type DiskGuard = ReturnType<typeof createDiskGuard>

export interface DiskGuardOptions {
  readonly instanceId: string
  readonly log?: { warn(message: string): void } | undefined
  readonly measureEveryMs?: number | undefined
}

/** The engine walks all that the containers wrote. */
const MEASURE_EVERY_MS = 60_000

export function createDiskGuard(docker: Docker, { instanceId, log, measureEveryMs = MEASURE_EVERY_MS }: DiskGuardOptions) {
  /** Undefined until a worker has tried. */
  let canLimit: boolean | undefined
  let sizes: ReadonlyMap<string, number> = new Map()
  let measuring = false
  let measuredAt = Number.NEGATIVE_INFINITY

  async function measure(): Promise<void> {
    const filters = JSON.stringify({ label: [`${LABELS.instance}=${instanceId}`, LABELS.worker], status: ['running'] })
    const containers = await docker.listContainers({ size: true, filters })
    sizes = new Map(containers.map((info) => [info.Id, writtenBy(info)]))
  }

  return {
    /** Creates with the limit where the engine takes it, else without. */
    async create(options: Docker.ContainerCreateOptions, { diskBytes }: Pick<WorkerLaunch, 'diskBytes'>): Promise<Docker.Container> {
      if (diskBytes === undefined || canLimit === false) return docker.createContainer(options)
      try {
        const created = await docker.createContainer(withLimit(options, diskBytes))
        canLimit = true
        return created
      } catch (error) {
        if (!isUnknownLimit(error)) throw error
        canLimit = false
        log?.warn('the engine cannot limit what a container writes; workers over their disk size are found by measuring and ended')
        return docker.createContainer(options)
      }
    },
    /** The engine is known to enforce no limit, so containers are measured. */
    measures: (): boolean => canLimit === false,
    /** Bytes written by container id, as of the last measurement; begins the next one when it is due. Empty where the engine limits. */
    sizes(): ReadonlyMap<string, number> {
      if (canLimit === true) return new Map()
      if (!measuring && Date.now() - measuredAt >= measureEveryMs) {
        measuring = true
        // What cannot be measured stays as it was; the list itself reports an engine that is away.
        void measure()
          .catch(() => undefined)
          .finally(() => {
            measuring = false
            measuredAt = Date.now()
          })
      }
      return sizes
    },
  }
}

function withLimit(options: Docker.ContainerCreateOptions, bytes: number): Docker.ContainerCreateOptions {
  return { ...options, HostConfig: { ...options.HostConfig, StorageOpt: { size: String(bytes) } } }
}

/** E.g. `--storage-opt is supported only for overlay over xfs with 'pquota' mount option`. */
function isUnknownLimit(error: unknown): boolean {
  return /storage-?opt/i.test(messageOf(error))
}

/** dockerode's types leave out what `size` adds. */
function writtenBy(info: Docker.ContainerInfo): number {
  return 'SizeRw' in info && typeof info.SizeRw === 'number' ? info.SizeRw : 0
}

export type DiskLimit = 'limited' | 'measured' | 'unknown'

/** Tries with a container of the image that is never started. Unknown: there is no such image yet. */
export async function probeDiskLimit(docker: Docker, image: string): Promise<DiskLimit> {
  try {
    const probe = await docker.createContainer(withLimit({ Image: image, Cmd: ['true'] }, 2 ** 30))
    await probe.remove({ force: true, v: true })
    return 'limited'
  } catch (error) {
    return isUnknownLimit(error) ? 'measured' : 'unknown'
  }
}
