// Checks what the machine offers to workers: the host on which they would run, and NVIDIA GPUs.
import { openHost } from '@runyard/hosts'
import { readGpuInventory } from '@runyard/host-gpus'
import { readOwn } from '@runyard/kit'
import { DockerHostConfig } from '@runyard/schema'
import { hostSettings } from '../stack/host-choice.ts'
import { findOtherInstalls } from '../stack/other-installs.ts'
import { missing, note, ok, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'

export async function checkHosts(machine: Machine): Promise<readonly Finding[]> {
  const docker = await checkDocker(machine)
  const others = docker.answers ? await checkOthers(docker.host, machine) : []
  return [docker.finding, ...docker.more, ...others, await checkGpus(machine)]
}

interface DockerFindings {
  readonly host: DockerHostConfig
  readonly answers: boolean
  readonly finding: Finding
  readonly more: readonly Finding[]
}

async function checkDocker(machine: Machine): Promise<DockerFindings> {
  const { config } = machine.settings
  const configured = config.hosts?.find((candidate) => candidate.kind === 'docker')
  const host = configured ?? DockerHostConfig.parse({ kind: 'docker' })
  await using driver = openHost(host, settingsOf(machine))
  const probe = await driver.probe()
  if (probe.kind === 'ok')
    return { host, answers: true, finding: ok('Docker', probe.words), more: await driver.examine(config.defaultImage) }
  // What was asked for must be there; else processes do.
  const tell = configured === undefined ? note : missing
  const instead = configured === undefined ? ' Workers will be processes of this machine.' : ''
  return { host, answers: false, finding: tell('Docker', probe.message + instead), more: [] }
}

const settingsOf = ({ settings, env }: Machine) => hostSettings({ config: settings.config, env })

async function checkOthers(docker: DockerHostConfig, machine: Machine): Promise<readonly Finding[]> {
  const own = await readOwn(machine.settings.dataDir).catch(() => undefined)
  const others = await findOtherInstalls([docker], settingsOf(machine), own?.id)
  return others.map(({ words, mend }) => note('other workers', words, mend))
}

async function checkGpus({ settings }: Machine): Promise<Finding> {
  const { gpus, cudaVersion, warnings } = await readGpuInventory()
  const simulated = settings.config.simulatedGpus
  const names = gpus.map(({ name, fault }) => (fault === undefined ? name : `${name} (${fault})`))
  if (gpus.some(({ healthy }) => healthy)) {
    return ok('NVIDIA', `${names.join(', ')}, driver for CUDA ${cudaVersion ?? '?'}`)
  }
  if (simulated !== undefined) return ok('NVIDIA', `no card; simulated: ${simulated}`)
  const words = names.length > 0 ? `no usable card: ${names.join(', ')}` : (warnings[0] ?? 'no card or no driver here; CPU endpoints work')
  return note('NVIDIA', words, 'install the driver, or declare cards: RUNYARD_SIMULATED_GPUS="NVIDIA GeForce RTX 4090:1"')
}
