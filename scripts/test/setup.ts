// Prepares a machine for the tests and announces it first. Installs only missing packages, and only on Debian with root. Suites whose
// requirements are still missing are skipped by name (or fail, in CI).
import { spawn } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureWorkerImage, openEngine } from '../../packages/hosts/docker/src/index.ts'
import { dieWithUs, findOnPath, runCommand, tryCommand } from '../../test/harness/child.ts'
import { isGvisorReady, isNewerDockerdReady, unpackGvisor, unpackNewerDockerd } from '../../test/harness/engine-programs.ts'
import { isImageRegistryReady, unpackImageRegistry } from '../../test/harness/image-registry.ts'
import { firstMissing } from '../../test/harness/machine.ts'
import { isPromtoolReady, unpackPromtool } from '../../test/harness/promtool.ts'
import { cacheDir, ensureVenv, isVenvReady, type VenvName } from '../../test/harness/venvs.ts'
import { waitFor } from '../../test/harness/wait.ts'
import type { Needs } from './needs.ts'

export type Say = (line: string) => void

const BROWSER = 'chromium'
const DOCKERFILE = join(import.meta.dirname, '..', '..', 'docker', 'worker.Dockerfile')
const SOCKET = '/var/run/docker.sock'

/** Executable → Debian package. */
const PACKAGES: Readonly<Record<string, string>> = { 'redis-server': 'redis-server', python3: 'python3' }
const DOCKER_PACKAGES: Readonly<Record<string, string>> = {
  dockerd: 'docker.io',
  docker: 'docker.io',
  iptables: 'iptables',
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  ssh: 'openssh-client',
  openssl: 'openssl',
  // On a user's machine its package would start to listen.
  ...(process.env['CI'] === 'true' ? { sshd: 'openssh-server' } : {}),
}

export async function installPackages(say: Say, { docker, browser }: Pick<Needs, 'docker' | 'browser'>): Promise<void> {
  const wanted = { ...PACKAGES, ...(docker ? DOCKER_PACKAGES : {}), ...(browser ? { chromium: BROWSER } : {}) }
  const missing = new Set(
    Object.entries(wanted)
      .filter(([name]) => findOnSystem(name) === undefined)
      .map(([, debianPackage]) => debianPackage),
  )
  if (!(await hasVenvModule())) missing.add('python3-venv')
  if (missing.size === 0) return
  const names = [...missing]
  if (process.getuid?.() !== 0 || findOnPath('apt-get') === undefined) {
    say(`missing here: ${names.join(', ')}; without root on Debian they are not installed, and tests that need them are skipped`)
    return
  }
  say(`installing from Debian: ${names.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = (list: readonly string[]): Promise<string> =>
    runCommand('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...list], { env, timeoutMs: 600_000 })
  await attempt(say, 'apt-get', async () => {
    await runCommand('apt-get', ['update', '-q'], { env, timeoutMs: 300_000 })
    await install(names.filter((name) => name !== BROWSER))
    if (docker && findOnSystem('docker') === undefined) await install(['docker-cli'])
  })
  // Last and separately: some distributions have another name for it, which must not fail the rest.
  if (missing.has(BROWSER)) await attempt(say, BROWSER, () => install([BROWSER]))
}

/** Daemons are in sbin, which a user's PATH may lack. */
function findOnSystem(name: string): string | undefined {
  return findOnPath(name) ?? [`/usr/sbin/${name}`, `/sbin/${name}`].find((path) => existsSync(path))
}

async function hasVenvModule(): Promise<boolean> {
  if (findOnPath('python3') === undefined) return false
  return (await tryCommand('python3', ['-c', 'import venv, ensurepip'])).code === 0
}

/** Starts dockerd if no engine responds. The returned function stops that dockerd and no other. */
export async function ensureDocker(say: Say): Promise<() => Promise<void>> {
  const nothing = async (): Promise<void> => undefined
  if (await engineAnswers()) return nothing
  const dockerd = findOnSystem('dockerd')
  if (dockerd === undefined || process.getuid?.() !== 0) {
    say('no Docker engine answers, and none can be started without root and dockerd: tests that need it are skipped')
    return nothing
  }
  const logFile = join(cacheDir(), 'dockerd.log')
  say(`starting dockerd for the time of the tests (log: ${logFile})`)
  await mkdir(cacheDir(), { recursive: true })
  const log = openSync(logFile, 'a')
  const child = spawn(...dieWithUs(dockerd, [], 'TERM'), { detached: true, stdio: ['ignore', log, log] })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  child.once('error', () => undefined)
  const answering = waitFor('dockerd to answer', engineAnswers, { timeoutMs: 60_000, intervalMs: 300 }).then(() => true)
  const answers = await Promise.race([answering.catch(() => false), exited.then(() => false)])
  if (!answers) say(`dockerd does not come up here (why: ${logFile}): tests that need it are skipped`)
  return async () => {
    say('stopping the dockerd that these tests started')
    child.kill('SIGTERM')
    await exited
  }
}

async function engineAnswers(): Promise<boolean> {
  if (findOnPath('docker') === undefined) return false
  return (await tryCommand('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 })).code === 0
}

/** Builds the default worker image with the same code as `runyard up`, if an engine responds. */
export async function makeWorkerImage(say: Say): Promise<void> {
  if ((await firstMissing(['docker'])) !== undefined) return
  await attempt(say, 'the worker image', async () => {
    const { image, built } = await ensureWorkerImage({
      engine: openEngine({ kind: 'unix', socket: SOCKET }),
      dockerfile: DOCKERFILE,
      onProgress: onlyHeadlines(say),
    })
    if (built) say(`the worker image ${image} is built`)
  })
}

/** A build prints thousands of lines; its steps are enough. */
function onlyHeadlines(say: Say): (line: string) => void {
  return (line) => {
    if (/^(?:Step |building |making |[a-z]+ing )/.test(line)) say(line.slice(0, 160))
  }
}

/** Programs from Debian packages, unpacked into the cache. */
export async function makeDebianPrograms(say: Say): Promise<void> {
  if (!isImageRegistryReady()) await unpack(say, 'the image registry', unpackImageRegistry)
  if (!isPromtoolReady()) await unpack(say, 'promtool', unpackPromtool)
  if (!isGvisorReady()) await unpack(say, 'gVisor', unpackGvisor)
  if (!isNewerDockerdReady()) await unpack(say, 'a newer dockerd', unpackNewerDockerd)
}

async function unpack(say: Say, what: string, work: () => Promise<void>): Promise<void> {
  if (findOnPath('apt-get') === undefined) return
  await attempt(say, what, async () => {
    // A machine that lacked no package may have no package lists.
    await work().catch(async () => {
      await runCommand('apt-get', ['update', '-q'], { timeoutMs: 300_000 })
      await work()
    })
  })
}

/** Two at a time, because the installers mostly wait for the network. */
export async function makeVenvs(say: Say, names: readonly VenvName[]): Promise<void> {
  const waiting = names.filter((name) => !isVenvReady(name))
  if (waiting.length === 0) return
  say(`making Python environments: ${waiting.join(', ')}`)
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const venv = name
      await attempt(say, `Python environment ${venv}`, async () => {
        await ensureVenv(venv)
        say(`Python environment ${venv} is ready`)
      })
    }
  }
  await Promise.all([work(), work()])
}

/** A failed step is reported and skipped; the suites name what they lack. */
export async function attempt(say: Say, what: string, step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    say(`${what} could not be set up: ${error instanceof Error ? error.message : String(error)}`)
  }
}
