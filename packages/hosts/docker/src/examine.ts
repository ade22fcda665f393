// What `doctor` says of an engine beyond that it answers: the default image, whether disks can be limited, whether cards can be handed over.
import { findOnPath } from '@runyard/kit'
import type { HostFinding } from '@runyard/schema'
import { onEngine, type Engine } from './engine.ts'
import { hasImage } from './images.ts'
import { diskLimitOf } from './installs.ts'
import { blockMetadata } from './worker-network.ts'

const TOOLKIT = 'nvidia-container-runtime-hook'

const DISK = {
  limited: 'the engine limits what a worker writes',
  measured: 'the engine cannot limit it: workers are measured every minute, and ended when over their size',
  unknown: 'not known before the worker image is here',
} as const

export interface Examination {
  readonly image: string
  readonly hasCards: boolean
  readonly env: NodeJS.ProcessEnv
}

export async function examineEngine(engine: Engine, { image, hasCards, env }: Examination): Promise<readonly HostFinding[]> {
  const findings = [await examineImage(engine, image), await examineDisk(engine, image), await examineMetadata(engine, image)]
  return hasCards ? [...findings, await examineToolkit(env)] : findings
}

async function examineImage(engine: Engine, image: string): Promise<HostFinding> {
  const subject = 'worker image'
  if (await onEngine(engine, `look for the image ${image}`, (docker) => hasImage(docker, image)))
    return { subject, verdict: 'ok', words: image }
  return { subject, verdict: 'note', words: `${image} is not here yet; the first \`up\` builds it (a minute or two)` }
}

async function examineDisk(engine: Engine, image: string): Promise<HostFinding> {
  const limit = await diskLimitOf(engine, image)
  return { subject: 'worker disk', verdict: limit === 'limited' ? 'ok' : 'note', words: DISK[limit] }
}

async function examineMetadata(engine: Engine, image: string): Promise<HostFinding> {
  const subject = 'metadata service'
  const block = await blockMetadata(engine.docker(), { image, mode: 'check' })
  if (block.kind === 'blocked') return { subject, verdict: 'ok', words: 'workers cannot reach the metadata service of a cloud' }
  return { subject, verdict: 'note', words: `workers can reach the metadata service of a cloud: ${block.reason}` }
}

async function examineToolkit(env: NodeJS.ProcessEnv): Promise<HostFinding> {
  const subject = 'container toolkit'
  const path = await findOnPath(TOOLKIT, env)
  if (path !== undefined) return { subject, verdict: 'ok', words: path }
  const mend = 'apt-get install nvidia-container-toolkit && systemctl restart docker'
  return { subject, verdict: 'missing', words: 'there is an NVIDIA card, but Docker cannot hand it to containers', mend }
}
