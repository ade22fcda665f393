// What an operator has to know of an engine beyond that it answers: the processor, the default image, whether disks can be limited, and what GPUs need: the
// NVIDIA runtime or CDI, a toolkit without known holes, a cgroup driver that does not take GPUs away.
import { gigabytes, judgeToolkit, namesShim } from '@runyard/core'
import { findOnPath } from '@runyard/kit'
import type { RunCommand } from '@runyard/host-gpus'
import type { HostFinding } from '@runyard/schema'
import { createDiskSpace } from './disk-space.ts'
import { isUnknownCard, messageOf, WRITE_SPEC } from './docker-errors.ts'
import { isLocal, onEngine, type Engine } from './engine.ts'
import { GPU_HOOK, gpuRequest, offersCdi, type GpuFacts } from './gpu-way.ts'
import { hasImage } from './images.ts'
import { diskLimitOf } from './installs.ts'
import { runProbe } from './probe-container.ts'
import { blockMetadata } from './worker-network.ts'

const INSTALL = 'apt-get install nvidia-container-toolkit && nvidia-ctk runtime configure --runtime=docker && systemctl restart docker'

const RUNTIME = 'NVIDIA runtime'

const DISK = {
  limited: 'the engine limits what a worker writes',
  measured: 'the engine cannot limit it: workers are measured every minute, and ended when over their size',
  unknown: 'not known before the worker image is here',
} as const

/** In Node's words. */
const PROCESSORS: Readonly<Record<string, string>> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' }

export interface Examination {
  readonly image: string
  /** That the configuration names for workers. */
  readonly runtimes?: readonly string[]
  /** UUIDs of its GPUs, of cards or of slices. */
  readonly cards: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** On the engine's machine; undefined: no command runs there. */
  readonly run: RunCommand | undefined
}

interface EngineInfo extends GpuFacts {
  readonly Architecture?: string
  readonly CgroupDriver?: string
}

export async function examineEngine(engine: Engine, examination: Examination): Promise<readonly HostFinding[]> {
  const { image, cards } = examination
  const info: EngineInfo = await onEngine(engine, 'describe the host', (docker) => docker.info() as Promise<EngineInfo>)
  const findings = [
    ...examineProcessor(info),
    ...examineRuntimes(info, examination.runtimes ?? []),
    await examineImage(engine, image),
    await examineDisk(engine, image),
    await examineImageDisk(engine),
    await examineMetadata(engine, image),
  ]
  if (cards.length === 0) return [...findings, ...examineUnseen(engine, info)]
  return [...findings, await examineRuntime(engine, info, examination), await examineToolkit(examination), ...examineCgroups(info)]
}

/** The agent's volume holds this machine's Node. */
function examineProcessor({ Architecture = '' }: EngineInfo): readonly HostFinding[] {
  const processor = PROCESSORS[Architecture] ?? Architecture
  if (Architecture === '' || processor === process.arch) return []
  const words = `the host is ${processor} and this machine ${process.arch}, so the agent cannot run there`
  return [{ subject: 'processor', verdict: 'missing', words, mend: 'use a host of the same processor architecture' }]
}

function examineRuntimes({ Runtimes = {} }: EngineInfo, wanted: readonly string[]): readonly HostFinding[] {
  return [...new Set(wanted)].map((name): HostFinding => {
    const subject = `runtime ${name}`
    if (name in Runtimes) return { subject, verdict: 'ok', words: 'workers that the setting runtimes names run under it' }
    if (namesShim(name)) return { subject, verdict: 'note', words: 'a shim of containerd, which the engine looks for when a worker starts' }
    const words = 'the engine does not have it, so workers that the setting runtimes names go to other hosts'
    return { subject, verdict: 'missing', words, mend: `sudo ${name} install && sudo systemctl restart docker` }
  })
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

async function examineImageDisk(engine: Engine): Promise<HostFinding> {
  const subject = 'image disk'
  const space = await createDiskSpace(engine)().catch(() => undefined)
  if (space === undefined) return { subject, verdict: 'note', words: 'not known how much is free, so no pull is refused for a full disk' }
  const [free, total] = [space.freeBytes, space.totalBytes].map(gigabytes)
  return { subject, verdict: 'ok', words: `${free} of ${total} free (${space.path})` }
}

async function examineMetadata(engine: Engine, image: string): Promise<HostFinding> {
  const subject = 'metadata service'
  const block = await blockMetadata(engine.docker(), { image, mode: 'check' })
  if (block.kind === 'blocked') return { subject, verdict: 'ok', words: 'workers cannot reach the metadata service of a cloud' }
  return { subject, verdict: 'note', words: `workers can reach the metadata service of a cloud: ${block.reason}` }
}

/** A runtime called nvidia, a directory of CDI specifications, or, on this machine, NVIDIA's hook. */
async function examineRuntime(engine: Engine, info: EngineInfo, examination: Examination): Promise<HostFinding> {
  const { env } = examination
  if ('nvidia' in (info.Runtimes ?? {})) return { subject: RUNTIME, verdict: 'ok', words: 'workers get GPUs by the runtime nvidia' }
  const hook = isLocal(engine) ? await findOnPath(GPU_HOOK, env) : undefined
  if (hook !== undefined) return { subject: RUNTIME, verdict: 'ok', words: `workers get GPUs by ${hook}` }
  if (offersCdi(info)) return proveCdi(engine, info, examination)
  return { subject: RUNTIME, verdict: 'missing', words: 'there is an NVIDIA card, but Docker cannot hand it to containers', mend: INSTALL }
}

/** A specification may be missing, be older than its cards, or name them by number only: it shows when a container asks for all of them. */
async function proveCdi(engine: Engine, info: EngineInfo, { image, cards }: Examination): Promise<HostFinding> {
  const words = `workers get GPUs by CDI, as nvidia.com/gpu=UUID, from ${(info.CDISpecDirs ?? []).join(', ')}`
  try {
    const host = { NetworkMode: 'none', DeviceRequests: [gpuRequest('cdi', cards)] }
    await runProbe(engine.docker(), { image, entrypoint: ['true'], args: [], host })
    return { subject: RUNTIME, verdict: 'ok', words }
  } catch (error) {
    if (isUnknownCard(error))
      return { subject: RUNTIME, verdict: 'missing', words: 'the CDI specifications do not name each GPU', mend: WRITE_SPEC }
    return { subject: RUNTIME, verdict: 'note', words: `${words}; not tried, because no container starts: ${messageOf(error)}` }
  }
}

/** Where no command runs, GPUs are seen by a container that gets them; without one, none is known. */
function examineUnseen(engine: Engine, { CDISpecDirs }: EngineInfo): readonly HostFinding[] {
  if (engine.tunnel !== undefined || isLocal(engine)) return []
  const mend = `if the host has one: ${(CDISpecDirs ?? []).length > 0 ? WRITE_SPEC : INSTALL}`
  return [{ subject: RUNTIME, verdict: 'note', words: 'no container on the host gets a GPU', mend }]
}

async function examineToolkit({ run }: Examination): Promise<HostFinding> {
  const output = await run?.('nvidia-ctk', ['--version']).catch(() => undefined)
  return { subject: 'container toolkit', ...judgeToolkit(output) }
}

/** With systemd, `systemctl daemon-reload` takes the GPUs from running containers (NVIDIA/nvidia-container-toolkit#48). */
function examineCgroups({ CgroupDriver }: EngineInfo): readonly HostFinding[] {
  if (CgroupDriver !== 'systemd') return []
  const words = 'the cgroup driver is systemd: after `systemctl daemon-reload` running workers may lose their GPUs'
  const mend = '"exec-opts": ["native.cgroupdriver=cgroupfs"] in /etc/docker/daemon.json'
  return [{ subject: 'cgroups', verdict: 'note', words, mend }]
}
