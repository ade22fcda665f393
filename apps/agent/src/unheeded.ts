// Settings of the contracts for workers (worker-api §2, sdk2-api §5) that this agent does not support. For each of them the agent logs a warning at
// its start. All other settings apply in the agent or the scaler, or are for user code.
import { isDeployed, type Settings } from './settings.ts'

interface Unheeded {
  readonly name: string
  readonly why: string
  /** Values without an effect. An empty value never has one. */
  readonly harmless?: RegExp
}

/** A deployed app's `max_concurrency`; the runner says what of it has an effect. */
const LIVE = 'a worker that runs the source of each job runs one job at a time; more workers (workersMax) run more jobs at once'
const DEPLOYED = 'this worker has no build of a deployed app; it runs the source that comes with each job'
const NO_FITNESS = 'fitness checks are the SDK’s, and this agent runs none'

const UNHEEDED: readonly Unheeded[] = [
  { name: 'RUNPOD_MAX_CONCURRENCY', harmless: /^[01]$/, why: LIVE },
  { name: 'RUNPOD_REALTIME_PORT', harmless: /^0$/, why: 'jobs come from the queue; this agent listens on no port' },
  { name: 'RUNPOD_REALTIME_CONCURRENCY', harmless: /^1$/, why: 'jobs come from the queue; this agent listens on no port' },
  { name: 'RUNPOD_RUNTIME_KIND', harmless: /^queue$/, why: 'this agent serves queues alone, no api and no task' },
  { name: 'RUNPOD_RESOURCE_NAME', why: DEPLOYED },
  { name: 'RUNPOD_PREBUILT_APP_DIR', why: DEPLOYED },
  { name: 'FLASH_RESOURCE_NAME', why: DEPLOYED },
  { name: 'FLASH_ENDPOINT_TYPE', why: DEPLOYED },
  { name: 'FLASH_BUILD_ARTIFACT_PATH', why: DEPLOYED },
  { name: 'FLASH_IS_MOTHERSHIP', harmless: /^(false|0)$/i, why: DEPLOYED },
  { name: 'RUNPOD_MIN_MEMORY_GB', why: NO_FITNESS },
  { name: 'RUNPOD_MIN_DISK_PERCENT', why: NO_FITNESS },
  { name: 'RUNPOD_MIN_CUDA_VERSION', why: NO_FITNESS },
]

/** One sentence for each setting that has an unsupported value. */
export function refuseUnheeded(
  env: Readonly<Record<string, string | undefined>>,
  settings: Pick<Settings, 'pingIntervalMs' | 'envelope'>,
): readonly string[] {
  const followed: readonly string[] = isDeployed(settings.envelope) ? [DEPLOYED, LIVE] : []
  const refused = UNHEEDED.flatMap(({ name, harmless, why }) => {
    if (followed.includes(why)) return []
    const value = env[name]?.trim() ?? ''
    return value === '' || harmless?.test(value) === true ? [] : [`${name}=${value} is not followed: ${why}`]
  })
  const interval = env.RUNPOD_PING_INTERVAL?.trim() ?? ''
  if (interval === '' || Number(interval) === settings.pingIntervalMs) return refused
  const text = `RUNPOD_PING_INTERVAL=${interval} is not followed: it must be 1000 milliseconds or more, so ${settings.pingIntervalMs} are used`
  return [...refused, text]
}
