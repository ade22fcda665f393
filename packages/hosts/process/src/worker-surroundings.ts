// The environment of a worker that is a child process: the launch's own, on top of what a program on this machine needs to run and to
// install packages. An allow list, so that the scaler's own secrets (Redis, keys, settings) never reach a handler.
import { join } from 'node:path'
import type { WorkerLaunch } from '@runyard/schema'

const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|XDG_(CACHE|DATA|CONFIG)_HOME|HF_HOME|PIP_\w+|UV_\w+|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|(HTTPS?|ALL|NO)_PROXY)$/i

export const SCRATCH_VARIABLE = 'RUNYARD_SCRATCH_DIR'

export interface Surroundings {
  readonly launch: WorkerLaunch
  readonly scratch: string
  /** The Python that runs handlers; undefined = the agent's own choice. */
  readonly pythonPath: string | undefined
  readonly buildsDirectory: string
}

export function workerSurroundings({ launch, scratch, pythonPath, buildsDirectory }: Surroundings): Record<string, string> {
  const own = Object.entries(process.env).flatMap(([key, value]) =>
    value !== undefined && PASSED_ON.test(key) ? [[key, value] as const] : [],
  )
  return {
    ...Object.fromEntries(own),
    ...launch.env,
    ...visibleGpus(launch),
    ...appVariables(launch, buildsDirectory),
    [SCRATCH_VARIABLE]: scratch,
    ...(pythonPath === undefined ? {} : { RUNYARD_PYTHON: pythonPath }),
  }
}

/** Python as root would write its bytecode into the app's files, which all workers share. */
function appVariables({ build }: WorkerLaunch, buildsDirectory: string): Record<string, string> {
  if (build === undefined) return {}
  return { RUNPOD_PREBUILT_APP_DIR: join(buildsDirectory, build.id), PYTHONDONTWRITEBYTECODE: '1' }
}

/** CUDA takes UUIDs as well as numbers; `-1` hides every card, which an empty or missing variable would not do everywhere. */
function visibleGpus(launch: WorkerLaunch): Record<string, string> {
  const uuids = launch.gpus.filter((gpu) => !gpu.simulated).map((gpu) => gpu.uuid)
  const none = uuids.length === 0
  return { NVIDIA_VISIBLE_DEVICES: none ? 'void' : uuids.join(','), CUDA_VISIBLE_DEVICES: none ? '-1' : uuids.join(',') }
}
