// Decides which starts a standby worker can serve (ADR 56), and what a standby worker is. It runs our agent in the default image, and Python runs already:
// whatever must be set before a process starts cannot come from the endpoint any more. Failure direction: in doubt a worker starts anew.
import type { AttachedGpu, EndpointSpec, WorkerLaunch } from '@runyard/schema'
import { caVariables, preloadVariable } from './worker-environment.ts'

/** Read by Python, the dynamic linker or the C library as they start, or by our agent before it has an endpoint. */
const READ_AT_START = /^(PYTHON|LD_|MALLOC_|GLIBC_|LC_|LANG(UAGE)?$|NODE_|OPENSSL_|PATH$|TMPDIR$|RUNYARD_)/

export interface StandbyRequest {
  readonly spec: Pick<EndpointSpec, 'env'> & Partial<Pick<EndpointSpec, 'networkVolumeIds' | 'models'>>
  readonly image: string
  readonly withAgent: boolean
  readonly gpus: readonly AttachedGpu[]
  readonly runtime: string | undefined
  /** It runs a deployed app. */
  readonly runsApp?: boolean
  /** Real GPUs can be given to a worker that runs already. */
  readonly cardsByVariable?: boolean | undefined
}

export interface StandbyTemplate {
  readonly launch: WorkerLaunch
  readonly preload: readonly string[]
}

/** Docker attaches no GPU and no volume to a running container; to a process a GPU is a variable. What is preloaded has seen no variable of the endpoint. */
export function canStandbyServe(
  { spec, image, withAgent, gpus, runtime, runsApp, cardsByVariable }: StandbyRequest,
  { launch, preload }: StandbyTemplate,
): boolean {
  const names = Object.keys(spec.env)
  return (
    withAgent &&
    runsApp !== true &&
    image === launch.image &&
    runtime === undefined &&
    mountsNothing(spec) &&
    (cardsByVariable === true || gpus.every(({ simulated }) => simulated)) &&
    names.every((name) => !READ_AT_START.test(name)) &&
    (preload.length === 0 || names.length === 0)
  )
}

const mountsNothing = ({ networkVolumeIds = [], models = [] }: StandbyRequest['spec']): boolean =>
  networkVolumeIds.length === 0 && models.length === 0

export interface StandbyOptions {
  readonly image: string
  readonly preload: readonly string[]
  readonly pidsLimit: number
  readonly caBundle: string | undefined
}

export function standbyTemplate({ preload, ...given }: StandbyOptions): StandbyTemplate {
  return {
    preload,
    launch: {
      ...given,
      workerId: '',
      endpointId: '',
      specHash: '',
      endpointVersion: 0,
      withAgent: true,
      entrypoint: [],
      args: [],
      env: { ...(given.caBundle === undefined ? {} : caVariables(given.caBundle)), RUNYARD_STANDBY: '1', ...preloadVariable(preload) },
      gpus: [],
      memoryBytes: undefined,
      cpus: undefined,
      // More than any engine has: shows whether it enforces limits.
      diskBytes: 2 ** 50,
      runtime: undefined,
    },
  }
}
