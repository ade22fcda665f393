// The default worker image, and a small one for engines that have no images of their own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dieWithUs, runCommand, tryCommand } from './child.ts'

export const WORKER_IMAGE = process.env['RUNYARD_TEST_IMAGE'] ?? 'runyard/worker:latest'

/** Runs the Docker CLI on another engine. */
export interface OtherEngine {
  readonly socket: string
  readonly docker: (...args: readonly string[]) => Promise<string>
}

/**
 * Gives engines the base of the default worker image as the default worker image. Python is all that test functions need, and a copy of the whole image
 * takes five times as long. One save feeds all loads.
 */
export async function loadWorkerImage(engines: readonly OtherEngine[]): Promise<void> {
  const labels = JSON.parse(await runCommand('docker', ['image', 'inspect', '--format', '{{json .Config.Labels}}', WORKER_IMAGE])) as Labels
  const base = labels?.['runyard.base'] ?? ''
  const isHere = base !== '' && (await tryCommand('docker', ['image', 'inspect', base])).code === 0
  const image = isHere ? base : WORKER_IMAGE
  const save = spawn(...dieWithUs('docker', ['save', image]), { stdio: ['ignore', 'pipe', 'inherit'] })
  const loads = engines.map(({ socket }) =>
    spawn(...dieWithUs('docker', ['-H', `unix://${socket}`, 'load', '-q']), { stdio: ['pipe', 'ignore', 'inherit'] }),
  )
  for (const { stdin } of loads) save.stdout.pipe(stdin)
  const codes = await Promise.all(loads.map(async (child) => (await once(child, 'exit')) as [number | null]))
  if (codes.some(([code]) => code !== 0)) throw new Error(`${image} cannot be copied to the other engines`)
  if (isHere) await Promise.all(engines.map((engine) => label(engine, base, labels)))
}

type Labels = Readonly<Record<string, string>> | null

/** The labels say of what recipe an image is; without them a host builds it again. */
async function label({ docker }: OtherEngine, base: string, labels: Labels): Promise<void> {
  const container = (await docker('create', base, 'true')).trim()
  const changes = Object.entries(labels ?? {}).flatMap(([name, value]) => ['--change', `LABEL ${name}=${value}`])
  await docker('commit', ...changes, container, WORKER_IMAGE)
  await docker('rm', container)
}
