// What this machine provides, decided once per run. Suites that need more are skipped by name with the reason. In CI only a physical GPU may be
// missing; any other gap fails the test there (`suite.ts`).
import { existsSync, statSync } from 'node:fs'
import { findOnPath, tryCommand } from './child.ts'
import { isGvisorReady, isNewerDockerdReady } from './engine-programs.ts'
import { isImageRegistryReady } from './image-registry.ts'
import { isPromtoolReady } from './promtool.ts'
import { missingForTwoHosts } from './two-hosts.ts'
import { isVenvReady, type VenvName } from './venvs.ts'
import { WORKER_IMAGE } from './worker-image.ts'

export type Need =
  | 'redis'
  | 'docker'
  | 'worker-image'
  | 'gpu'
  | 'root'
  | 'browser'
  | 'image-registry'
  | 'promtool'
  | 'gvisor'
  | 'newer-dockerd'
  | 'two-hosts'
  | `venv:${VenvName}`

export const NO_GPU = 'no physical NVIDIA GPU here'

type Check = () => Promise<string | undefined> | string | undefined

/** Undefined if the need is met, else a phrase that says what is missing. */
const CHECKS: Readonly<Record<Exclude<Need, `venv:${VenvName}`>, Check>> = {
  redis: () => ((findOnPath('redis-server') ?? findOnPath('valkey-server')) ? undefined : 'no redis-server here'),
  docker: async () => ((await dockerAnswers()) ? undefined : 'no Docker engine answers here'),
  'worker-image': async () => ((await hasImage(WORKER_IMAGE)) ? undefined : `the image ${WORKER_IMAGE} is not here`),
  gpu: () => (existsSync('/dev/nvidia0') && findOnPath('nvidia-smi') !== undefined ? undefined : NO_GPU),
  root: () => (process.getuid?.() === 0 ? undefined : 'needs root'),
  'image-registry': () => (isImageRegistryReady() ? undefined : 'the image registry is not here (./runyard test unpacks it)'),
  promtool: () => (isPromtoolReady() ? undefined : 'no promtool here (./runyard test unpacks it)'),
  gvisor: () => (isGvisorReady() ? undefined : 'no gVisor here (./runyard test unpacks it)'),
  'newer-dockerd': () => (isNewerDockerdReady() ? undefined : 'no dockerd here that knows CDI (./runyard test unpacks it)'),
  'two-hosts': missingForTwoHosts,
  browser: () => (findOnPath('chromium') === undefined ? 'no chromium here' : undefined),
}

async function missing(need: Need): Promise<string | undefined> {
  return isVenvNeed(need) ? missingVenv(need.slice('venv:'.length) as VenvName) : await CHECKS[need]()
}

function isVenvNeed(need: Need): need is `venv:${VenvName}` {
  return need.startsWith('venv:')
}

function missingVenv(name: VenvName): string | undefined {
  return isVenvReady(name) ? undefined : `the Python environment ${name} is not here (./runyard test makes it)`
}

async function dockerAnswers(): Promise<boolean> {
  if (findOnPath('docker') === undefined || !isSocket(process.env['DOCKER_HOST'] ?? '/var/run/docker.sock')) return false
  return (await tryCommand('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 60_000 })).code === 0
}

function isSocket(path: string): boolean {
  const file = path.replace(/^unix:\/\//, '')
  return existsSync(file) && statSync(file).isSocket()
}

async function hasImage(image: string): Promise<boolean> {
  return (await tryCommand('docker', ['image', 'inspect', image], { timeoutMs: 60_000 })).code === 0
}

const answers = new Map<Need, Promise<string | undefined>>()

/** The first unmet need; each need is checked once. */
export async function firstMissing(needs: readonly Need[]): Promise<string | undefined> {
  for (const need of needs) {
    const answer = answers.get(need) ?? missing(need)
    answers.set(need, answer)
    const reason = await answer
    if (reason !== undefined) return reason
  }
  return undefined
}
