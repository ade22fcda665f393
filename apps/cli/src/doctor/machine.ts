// Checks the machine itself: Redis, Python, memory policy, certificates, disk, ports.
import { execFile } from 'node:child_process'
import { readFile, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findOnPath, sentenceOf } from '@runyard/kit'
import { systemCode } from '@runyard/schema'
import type { Settings } from '../settings.ts'
import { readRunning, socketPath } from '../stack/data-dir.ts'
import { claimPort } from '../stack/ports.ts'
import { redisMemory } from '../stack/redis.ts'
import { findRedis } from '../stack/redis-binary.ts'
import { missing, note, ok, type Finding } from './finding.ts'

const run = promisify(execFile)

const ENOUGH_DISK_BYTES = 5 * 2 ** 30
const OLDEST_PYTHON_MINOR = 10

export interface Machine {
  readonly settings: Settings
  readonly env: NodeJS.ProcessEnv
}

export async function checkRedis({ settings, env }: Machine): Promise<Finding> {
  if (settings.config.redis.url !== undefined) return ok('Redis', `yours, as ${settings.origins['redis.url']} says`)
  const found = await findRedis(env)
  return found === undefined
    ? note('Redis', 'none of 6.2 or newer here; `up` fetches Valkey by itself', 'apt-get install redis-server, if you prefer that')
    : ok('Redis', `${found.label}${await describeMemory(settings)}`)
}

/** Of the Redis that runs from this data directory; beyond its ceiling jobs are refused. */
async function describeMemory({ dataDir }: Machine['settings']): Promise<string> {
  const memory = await redisMemory(socketPath(join(dataDir, 'redis'), 'redis.sock')).catch(() => undefined)
  if (memory === undefined || memory.ceilingBytes === 0) return ''
  const { usedBytes, ceilingBytes } = memory
  return `; it runs and uses ${toMiB(usedBytes)} of at most ${toMiB(ceilingBytes)} MiB (redis.maxMemoryBytes)`
}

const toMiB = (bytes: number): number => Math.round(bytes / 1024 / 1024)

/** Needed for workers as processes, for a fetched Valkey, and by the demo. */
export async function checkPython({ env }: Machine): Promise<Finding> {
  const path = env['RUNYARD_PYTHON'] ?? (await findOnPath('python3', env))
  const mend = 'apt-get install python3 python3-venv'
  if (path === undefined) return note('Python', 'none here; workers in containers bring their own, the demo needs one', mend)
  const said = await run(path, ['-c', 'import sys, venv, ensurepip; print(*sys.version_info[:3], sep=".")']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
  if (said === undefined) return note('Python', `${path} cannot make virtual environments`, 'apt-get install python3-venv')
  const [major = 0, minor = 0] = said.split('.').map(Number)
  const recent = major === 3 && minor >= OLDEST_PYTHON_MINOR
  return recent ? ok('Python', `${said} (${path})`) : note('Python', `${said} is older than the 3.10 that runpod-flash needs`, mend)
}

export async function checkMemoryPolicy(): Promise<Finding> {
  const policy = (await readFile('/proc/sys/vm/overcommit_memory', 'utf8').catch(() => '')).trim()
  if (policy === '') return ok('memory', 'the overcommit policy is not known on this system')
  if (policy !== '0') return ok('memory', `vm.overcommit_memory is ${policy}`)
  return note('memory', 'vm.overcommit_memory is 0: when memory is short, Redis cannot compact its file', 'sysctl vm.overcommit_memory=1')
}

export async function checkCaBundle({ settings, env }: Machine): Promise<Finding> {
  const path = settings.config.caBundle ?? env['SSL_CERT_FILE']
  if (path === undefined || path === '') return ok('CA bundle', 'none extra; workers use their image’s')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined)
    return missing('CA bundle', `${path} cannot be read`, 'set caBundle or SSL_CERT_FILE to a readable file, or unset it')
  return text.includes('BEGIN CERTIFICATE')
    ? ok('CA bundle', path)
    : missing('CA bundle', `${path} holds no certificate`, 'name a PEM file')
}

export async function checkDisk({ settings }: Machine): Promise<Finding> {
  const { bavail, bsize } = await statfsOfNearest(settings.dataDir)
  const free = bavail * bsize
  const words = `${(free / 2 ** 30).toFixed(1)} GB free at ${settings.dataDir}`
  return free >= ENOUGH_DISK_BYTES ? ok('disk', words) : note('disk', words, 'make room, or name another directory with --data DIR')
}

export async function checkPorts({ settings }: Machine): Promise<Finding> {
  const { config, origins, dataDir } = settings
  if ((await readRunning(dataDir)) !== undefined) return ok('ports', 'in use by your running Runyard')
  try {
    await claimPort({ ...config.listen, section: 'listen', mend: 'choose another with `up --port N`' })
    if (origins['workerPlane.port'] !== 'default') {
      await claimPort({ ...config.workerPlane, section: 'workerPlane', mend: 'set workerPlane.port to another' })
    }
    return ok('ports', `${config.listen.host}:${config.listen.port} is free`)
  } catch (error) {
    const [words = '', mend] = sentenceOf(error).split('; ')
    return missing('ports', words, mend)
  }
}

/** The directory may not exist yet. */
async function statfsOfNearest(path: string): Promise<{ bavail: number; bsize: number }> {
  try {
    return await statfs(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    return statfsOfNearest(dirname(path))
  }
}
