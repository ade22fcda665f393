// Containers as the port's workers. Facts that never change (start time, exit) are inspected once per container and cached, so that listing a hundred
// running workers takes one request. This is safe because our containers never restart.
import { isSimulatedUuid, type ObservedWorker } from '@runyard/schema'
import type Docker from 'dockerode'
import { parseTime } from './container-logs.ts'
import { LABELS } from './container-spec.ts'
import type { DiskGuard } from './disk.ts'
import { statusOf } from './docker-errors.ts'

const SIGKILLED = 137
/** Docker's time of what has not happened. */
const NEVER = '0001-01-01T00:00:00Z'

export interface ObserverOptions {
  readonly instanceId: string
  readonly disk: Pick<DiskGuard, 'sizes'>
  /** Gets every container of the installation, those that are no workers included. `askedAt`: when the listing was requested. */
  /** Workers that are not listed, by their id. */
  readonly isHidden?: (workerId: string) => boolean
  readonly note?: (containers: readonly Docker.ContainerInfo[], askedAt: number) => void
}

type Lasting = Pick<ObservedWorker, 'state' | 'startedAt' | 'exit'>

export function createObserver(docker: Docker, { instanceId, disk, note = () => undefined, isHidden = () => false }: ObserverOptions) {
  let known = new Map<string, Lasting>()

  async function observe(info: Docker.ContainerInfo): Promise<{ id: string; lasting: Lasting; worker: ObservedWorker } | undefined> {
    const state = toState(info.State)
    const kept = known.get(info.Id)
    const lasting = kept?.state === state ? kept : await inspect(docker, info.Id)
    if (lasting === undefined) return undefined
    const labels = info.Labels
    const worker = {
      workerId: labels[LABELS.worker] ?? '',
      endpointId: labels[LABELS.endpoint] ?? '',
      specHash: labels[LABELS.spec] ?? '',
      gpuUuids: cardsOf(info),
      imageId: info.ImageID,
      ...lasting,
    }
    return { id: info.Id, lasting, worker }
  }

  return {
    async list(): Promise<readonly ObservedWorker[]> {
      const askedAt = Date.now()
      const containers = await docker.listContainers({ all: true, filters: { label: [`${LABELS.instance}=${instanceId}`] } })
      note(containers, askedAt)
      const workers = containers.filter(({ Labels }) => {
        const workerId = Labels[LABELS.worker]
        return workerId !== undefined && !isHidden(workerId)
      })
      const sizes = disk.sizes()
      const observed = (await Promise.all(workers.map(observe))).filter((entry) => entry !== undefined)
      known = new Map(observed.map(({ id, lasting }) => [id, lasting]))
      return observed.map(({ id, worker }) => withSize(worker, sizes.get(id)))
    },
  }
}

function withSize(worker: ObservedWorker, diskBytes: number | undefined): ObservedWorker {
  return diskBytes === undefined ? worker : { ...worker, diskBytes }
}

/** A simulated GPU belongs to one installation: each declares its own. */
export async function cardsOfOthers(docker: Docker, instanceId: string): Promise<readonly string[]> {
  const running = await docker.listContainers({ filters: { label: [LABELS.instance, LABELS.worker] } })
  const others = running.filter(({ Labels }) => Labels[LABELS.instance] !== instanceId)
  return others.flatMap(cardsOf).filter((uuid) => !isSimulatedUuid(uuid))
}

export function cardsOf({ Labels }: Pick<Docker.ContainerInfo, 'Labels'>): readonly string[] {
  return (Labels[LABELS.gpus] ?? '').split(',').filter((uuid) => uuid !== '')
}

function toState(state: string): ObservedWorker['state'] {
  if (state === 'created') return 'created'
  return state === 'running' || state === 'paused' || state === 'restarting' ? 'running' : 'exited'
}

/** One that never ran has not exited, whatever its status: it is removed because its start was refused, and the start may be tried again. */
export function lastingOf(found: Docker.ContainerInspectInfo['State']): Lasting {
  const state = found.StartedAt === NEVER ? 'created' : toState(found.Status)
  return {
    state,
    startedAt: state === 'created' ? undefined : parseTime(found.StartedAt),
    exit: state === 'exited' ? toExit(found) : undefined,
  }
}

/** Undefined when it was removed meanwhile. */
async function inspect(docker: Docker, id: string): Promise<Lasting | undefined> {
  try {
    return lastingOf((await docker.getContainer(id).inspect()).State)
  } catch (error) {
    if (statusOf(error) === 404) return undefined
    throw error
  }
}

/** Docker keeps its flag once any process was killed for memory; the worker's own end was that only if it ended by SIGKILL. */
function toExit({ FinishedAt, ExitCode, OOMKilled }: Docker.ContainerInspectInfo['State']): NonNullable<ObservedWorker['exit']> {
  return { at: parseTime(FinishedAt), exitCode: ExitCode, oomKilled: OOMKilled && ExitCode === SIGKILLED }
}
