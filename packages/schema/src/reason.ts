// The closed list of reasons: every retirement, refusal and wait has one of these. Logs, API and CLI use the same words.
import { z } from 'zod'

export const REASONS = {
  // why a worker is started
  first_job: 'a job arrived and no worker was there',
  jobs_waiting: 'jobs wait while every worker is busy',
  below_min: 'fewer workers than the endpoint’s minimum',
  // why a worker is retired
  idle_timeout: 'no job for idle_timeout seconds',
  above_max: 'more workers than the endpoint’s maximum',
  yielded: 'a job of another endpoint waits for what the worker holds',
  outdated: 'the endpoint’s spec changed',
  image_rebuilt: 'the endpoint was saved again, and its image was rebuilt under the same tag',
  endpoint_deleted: 'the endpoint was deleted',
  refresh_requested: 'the handler asked for a fresh worker',
  execution_timeout: 'its job ran past executionTimeout or was cancelled, and could not be stopped otherwise',
  shutdown: 'Runyard is stopping',
  host_drained: 'the worker’s host is being drained',
  card_failed: 'a GPU of the worker has failed',
  card_wears: 'a GPU of the worker has a fault that it can work with until it is free',
  over_disk: 'the worker wrote more than its endpoint’s disk size',
  // why a worker ended without being retired
  exited: 'the worker’s process ended, and Runyard had not stopped it',
  out_of_memory: 'the worker went over its memory limit',
  init_timeout: 'the worker was not ready within its init timeout',
  heartbeat_lost: 'the worker stopped reporting',
  host_lost: 'the worker’s host cannot be reached',
  start_failed: 'the host refused to start the worker',
  unhealthy_check: 'the worker reported a failed fitness check',
  // why a wanted worker is not started (throttled)
  no_host: 'no host is configured or reachable',
  hosts_closed: 'every host is being prepared, cordoned, or resting after starts that it failed',
  hosts_full: 'every host that could run the worker has as many workers as its configuration allows',
  no_container_host: 'the image brings its own handler, and no host runs containers',
  no_matching_gpu: 'no host has a GPU of the requested types',
  gpus_busy: 'all matching GPUs are in use',
  not_enough_memory: 'no host has enough free memory',
  not_enough_cpu: 'no host has enough free CPUs',
  not_enough_disk: 'every host that could run the worker lacks its image, and has too little free disk to pull it',
  no_volume_host: 'no host that could run the worker has its volume',
  image_missing: 'the image is on no host and cannot be pulled',
  registry_refused: 'the image’s registry asks for credentials that are not given, or refuses those that are',
  secret_missing: 'the endpoint names a secret that does not exist',
  not_deployed: 'nothing was deployed to the endpoint’s environment yet',
  no_python: 'no host has the Python that the deployed app was built for',
  no_runtime: 'no host has the container runtime that the setting runtimes names',
  key_limit: 'the API key that created the endpoint has as many workers as it may have',
  backing_off: 'earlier workers failed to start; the next try waits',
  rolled_back: 'the last release could not start, so the endpoint was rolled back',
  paused: 'the endpoint’s maximum is 0 workers',

  // why a job waits, in addition to the reasons of the previous group
  no_worker_yet: 'no worker is there yet',
  worker_starting: 'a worker is starting',
  workers_busy: 'every worker is busy with another job',
  about_to_start: 'a worker is free and about to take it',
  jobs_ahead: 'workers are free, and other jobs are before it',
  low_priority: 'it runs only when no normal job waits, and starts no worker',

  // why a worker's result is ignored
  result_repeated: 'the worker had ended the job with it already',
  job_ended: 'the job had ended otherwise',
  attempt_superseded: 'the job had gone back to the queue, or to another worker',
  job_unknown: 'there is no such job, or not any more',
} as const

export type Reason = keyof typeof REASONS
export const Reason = z.enum(Object.keys(REASONS) as [Reason, ...Reason[]])
