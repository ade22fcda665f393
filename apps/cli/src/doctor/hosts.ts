// What the machine offers for workers: Docker, NVIDIA cards, and whether the two know each other.
import { createDockerHost, diskLimitOf, openEngine, probeEngine } from '@runyard/host-docker'
import { readGpuInventory } from '@runyard/host-gpus'
import { readOwn } from '@runyard/kit'
import { DockerHostConfig, engineOf } from '@runyard/schema'
import { findOnPath } from '../stack/find-on-path.ts'
import { findOtherInstalls } from '../stack/other-installs.ts'
import { missing, note, ok, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'

const TOOLKIT = 'nvidia-container-runtime-hook'

export async function checkHosts(machine: Machine): Promise<readonly Finding[]> {
  const docker = await checkDocker(machine)
  const gpu = await checkGpus(machine)
  const engine = docker.finding.verdict === 'ok' ? docker.host : undefined
  return [
    docker.finding,
    ...(engine === undefined
      ? []
      : [await checkImage(engine, machine), await checkDisk(engine, machine), ...(await checkOthers(engine, machine))]),
    gpu.finding,
    ...(engine === undefined || !gpu.real ? [] : [await checkToolkit(machine)]),
  ]
}

async function checkDocker({ settings }: Machine): Promise<{ host: DockerHostConfig; finding: Finding }> {
  const configured = settings.config.hosts?.find((host) => host.kind === 'docker')
  const host = configured ?? DockerHostConfig.parse({ kind: 'docker' })
  await using opened = openEngine(engineOf(host))
  const engine = await probeEngine(opened)
  if (engine.kind === 'ok') return { host, finding: ok('Docker', engine.version) }
  // What was asked for must be there; else processes do.
  const tell = configured === undefined ? note : missing
  return {
    host,
    finding: tell('Docker', `${engine.message} ${configured === undefined ? 'Workers will be processes of this machine.' : ''}`.trim()),
  }
}

async function checkImage(docker: DockerHostConfig, { settings }: Machine): Promise<Finding> {
  const { defaultImage } = settings.config
  await using host = createDockerHost({ label: 'doctor', connection: engineOf(docker), instanceId: 'doctor', agentVolume: undefined })
  if (await host.hasImage(defaultImage)) return ok('worker image', defaultImage)
  return note('worker image', `${defaultImage} is not here yet; the first \`up\` builds it (a minute or two)`)
}

async function checkOthers(docker: DockerHostConfig, { settings }: Machine): Promise<readonly Finding[]> {
  const own = await readOwn(settings.dataDir).catch(() => undefined)
  const others = await findOtherInstalls([docker], own?.id)
  return others.map(({ words, mend }) => note('other workers', words, mend))
}

const DISK = {
  limited: 'the engine limits what a worker writes',
  measured: 'the engine cannot limit it: workers are measured every minute, and ended when over their size',
  unknown: 'not known before the worker image is here',
} as const

async function checkDisk(docker: DockerHostConfig, { settings }: Machine): Promise<Finding> {
  await using engine = openEngine(engineOf(docker))
  const limit = await diskLimitOf(engine, settings.config.defaultImage)
  return limit === 'limited' ? ok('worker disk', DISK[limit]) : note('worker disk', DISK[limit])
}

async function checkGpus({ settings }: Machine): Promise<{ real: boolean; finding: Finding }> {
  const { gpus, cudaVersion, warnings } = await readGpuInventory()
  const simulated = settings.config.simulatedGpus
  const names = gpus.map(({ name, fault }) => (fault === undefined ? name : `${name} (${fault})`))
  if (gpus.some(({ healthy }) => healthy)) {
    return { real: true, finding: ok('NVIDIA', `${names.join(', ')}, driver for CUDA ${cudaVersion ?? '?'}`) }
  }
  if (simulated !== undefined) return { real: false, finding: ok('NVIDIA', `no card; simulated: ${simulated}`) }
  const words = names.length > 0 ? `no usable card: ${names.join(', ')}` : (warnings[0] ?? 'no card or no driver here; CPU endpoints work')
  return {
    real: false,
    finding: note('NVIDIA', words, 'install the driver, or declare cards: RUNYARD_SIMULATED_GPUS="NVIDIA GeForce RTX 4090:1"'),
  }
}

async function checkToolkit({ env }: Machine): Promise<Finding> {
  const path = await findOnPath(TOOLKIT, env)
  if (path !== undefined) return ok('container toolkit', path)
  const mend = 'apt-get install nvidia-container-toolkit && systemctl restart docker'
  return missing('container toolkit', 'there is an NVIDIA card, but Docker cannot hand it to containers', mend)
}
