// Decides where workers run: on the configured hosts; otherwise in containers if a Docker engine answers, or as processes of this machine. Prints the
// choice and its reason. Each host prepares itself; this file shows its progress and chooses the address at which workers reach the gateway.
import { openHost, type HostSettings } from '@runyard/hosts'
import { DockerHostConfig, ProcessHostConfig, quoted, RunyardError, type HostConfig, type Prepared } from '@runyard/schema'
import { sentenceOf } from '@runyard/kit'
import type { Progress } from '../output/progress.ts'
import { ROOT } from '../locations.ts'
import type { Settings } from '../settings.ts'

export interface HostChoice {
  readonly hosts: readonly HostConfig[]
  /** Where the worker plane must listen so that workers reach it; undefined: the operator has to say. */
  readonly planeHost: string | undefined
}

interface ChoiceOptions {
  readonly config: Settings['config']
  readonly env: NodeJS.ProcessEnv
  readonly progress: Progress
  readonly signal: AbortSignal
}

const LOOPBACK = '127.0.0.1'

/** Drivers of the CLI start no workers, so their label matters only for `removeAll`. */
export function hostSettings({ config, env }: Pick<ChoiceOptions, 'config' | 'env'>, instanceId = 'none'): HostSettings {
  return { config, env, instanceId, root: ROOT }
}

/** @throws RunyardError with one sentence if the requested host is unavailable. */
export async function chooseHosts(options: ChoiceOptions): Promise<HostChoice> {
  const { hosts } = options.config
  if (hosts !== undefined) return prepareConfigured(hosts, options)
  const docker = DockerHostConfig.parse({ kind: 'docker', ...engineNamedBy(options.env) })
  try {
    const { planeAddress } = await prepare(docker, '', options)
    return { hosts: [docker], planeHost: planeAddress }
  } catch (error) {
    if (!(error instanceof RunyardError)) throw error
    const host = ProcessHostConfig.parse({ kind: 'process' })
    await prepare(host, 'nothing is isolated and limits are not enforced', options)
    options.progress.say(`             not containers: ${error.message}`)
    return { hosts: [host], planeHost: LOOPBACK }
  }
}

/** One host that is ready is enough: the scaler goes on trying with the others. */
async function prepareConfigured(hosts: readonly HostConfig[], options: ChoiceOptions): Promise<HostChoice> {
  const ready: Prepared[] = []
  const problems: unknown[] = []
  for (const host of hosts) {
    // The scaler could not start with what cannot be opened, e.g. for want of a TLS file.
    await openHost(host, hostSettings(options))[Symbol.asyncDispose]()
    try {
      ready.push(await prepare(host, host.kind === 'process' ? 'as configured' : '', options))
    } catch (error) {
      if (!(error instanceof RunyardError)) throw error
      problems.push(error)
      if (hosts.length > 1) options.progress.say(`             host ${host.id} is tried again later: ${sentenceOf(error)}`)
    }
  }
  if (ready.length === 0) throw problems[0]
  const addresses = ready.map(({ planeAddress }) => planeAddress)
  // What other machines or containers reach serves processes of this machine, too.
  return { hosts, planeHost: addresses.find((address) => address !== undefined && address !== LOOPBACK) ?? addresses[0] }
}

async function prepare(host: HostConfig, remark: string, { progress, signal, ...options }: ChoiceOptions): Promise<Prepared> {
  await using driver = openHost(host, hostSettings(options))
  const probe = await driver.probe()
  if (probe.kind === 'failed') throw new RunyardError('bad_request', probe.message)
  const step = progress.begin('workers')
  const onProgress = (line: string): void => {
    step.note(line)
  }
  const prepared = await driver.prepare({ onProgress, signal })
  step.done(remark === '' ? prepared.words : `${prepared.words} (${remark})`)
  return prepared
}

/**
 * The Docker CLI's own variable, where no host is configured.
 * @throws RunyardError where it names an engine that is not on this machine: another one than the user means must not get the workers.
 */
export function engineNamedBy(env: NodeJS.ProcessEnv): { engine?: string } {
  const named = env['DOCKER_HOST'] ?? ''
  if (named === '') return {}
  if (named.startsWith('unix:///')) return { engine: named }
  throw new RunyardError(
    'bad_request',
    `DOCKER_HOST names ${quoted(named)}, and without hosts in its configuration Runyard uses engines of this machine alone: unset it, or name a socket as unix:///var/run/docker.sock.`,
  )
}
