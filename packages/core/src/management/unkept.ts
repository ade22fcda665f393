// Settings that Runpod has and Runyard cannot keep: refused with what works instead, never dropped in silence (ADR 36). What an endpoint has from
// before stays, so that everything else about it can still be changed.
import { envelopeOf } from '../image-reference.ts'
import { quoted, RunyardError, type Endpoint, type EndpointSpec } from '@runyard/schema'

/** @throws RunyardError('bad_request') */
export function refuseUnkept(next: Endpoint, current: Endpoint | undefined): void {
  const problem = deployedProblem(next) ?? modeProblem(next.spec, current)
  if (problem !== undefined) throw new RunyardError('bad_request', problem)
}

/** Our own images run code that comes with each call, or the build of the endpoint's environment. */
function deployedProblem({ flashEnvironmentId, spec: { image, env } }: Endpoint): string | undefined {
  if (flashEnvironmentId !== null || !('FLASH_RESOURCE_NAME' in env) || envelopeOf(image) === null) return undefined
  return 'This endpoint has FLASH_RESOURCE_NAME but belongs to no environment, so its workers would find no code: deploy it with `flash deploy` or `rp flash deploy`, or give it an image that holds the code.'
}

function modeProblem({ flashboot }: EndpointSpec, current: Endpoint | undefined): string | undefined {
  if (flashboot !== 'PRIORITY_FLASHBOOT' || current?.spec.flashboot === flashboot) return undefined
  return 'PRIORITY_FLASHBOOT reserves capacity, which is not done here: use FLASHBOOT, and a minimum of workers to keep some running.'
}

/** Nothing reaches a worker of a queue from outside. `allowed` are those that it has, or that its template has. @throws RunyardError('bad_request') */
export function refusePorts(ports: readonly string[], allowed: readonly string[]): void {
  const unknown = ports.find((port) => !allowed.includes(port))
  if (unknown === undefined) return
  throw new RunyardError(
    'bad_request',
    `Ports of workers cannot be reached from outside (${quoted(unknown)}): leave "ports" empty; calls come by the queue (/run, /runsync, /openai).`,
  )
}
