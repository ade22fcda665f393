// Checks what workers would find: every Docker host on which they may run, and NVIDIA GPUs of this machine.
import { twinOf } from '@runyard/core'
import { openHost } from '@runyard/hosts'
import { readGpuInventory } from '@runyard/host-gpus'
import { readOwn } from '@runyard/kit'
import { DockerHostConfig } from '@runyard/schema'
import { twinAmong } from '../hosts/examine-host.ts'
import { hostSettings } from '../stack/host-choice.ts'
import { findOtherInstalls } from '../stack/other-installs.ts'
import { missing, note, ok, type Finding } from './finding.ts'
import type { Machine } from './machine.ts'

export async function checkHosts(machine: Machine): Promise<readonly Finding[]> {
  const configured = machine.settings.config.hosts?.filter((host) => host.kind === 'docker') ?? []
  const hosts = configured.length > 0 ? configured : [DockerHostConfig.parse({ kind: 'docker' })]
  const engines = await Promise.all(hosts.map((host) => checkDocker(host, { machine, isConfigured: configured.length > 0 })))
  const answering = engines.flatMap(({ host, answers }) => (answers ? [host] : []))
  const others = answering.length > 0 ? await checkOthers(answering, machine) : []
  return [...engines.flatMap(({ host, findings }) => named(findings, host, hosts)), ...others, await checkGpus(machine)]
}

/** With the name of the host, where there are several. */
function named(findings: readonly Finding[], { id }: DockerHostConfig, hosts: readonly DockerHostConfig[]): readonly Finding[] {
  return hosts.length === 1 ? findings : findings.map((finding) => ({ ...finding, subject: `${finding.subject} (${id})` }))
}

interface Engine {
  readonly host: DockerHostConfig
  readonly answers: boolean
  readonly findings: readonly Finding[]
}

interface Asked {
  readonly machine: Machine
  /** What was asked for must be there; else processes do. */
  readonly isConfigured: boolean
}

async function checkDocker(host: DockerHostConfig, { machine, isConfigured }: Asked): Promise<Engine> {
  await using driver = openHost(host, settingsOf(machine))
  const probe = await driver.probe()
  if (probe.kind === 'ok') {
    const earlier = (machine.settings.config.hosts ?? []).slice(0, machine.settings.config.hosts?.indexOf(host))
    const twin = await twinAmong(isConfigured ? earlier : [], { host, driver, settings: settingsOf(machine) })
    if (twin !== undefined) return { host, answers: true, findings: [missing('Docker', `this host is not used: ${twinOf(twin)}`)] }
    const more = await driver.examine(machine.settings.config.defaultImage, Object.values(machine.settings.config.runtimes))
    return { host, answers: true, findings: [ok('Docker', probe.words), ...more] }
  }
  const finding = isConfigured
    ? missing('Docker', probe.message)
    : note('Docker', `${probe.message} Workers will be processes of this machine.`)
  return { host, answers: false, findings: [finding] }
}

const settingsOf = ({ settings, env }: Machine) => hostSettings({ config: settings.config, env })

async function checkOthers(engines: readonly DockerHostConfig[], machine: Machine): Promise<readonly Finding[]> {
  const own = await readOwn(machine.settings.dataDir).catch(() => undefined)
  const others = await findOtherInstalls(engines, settingsOf(machine), own?.id)
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
