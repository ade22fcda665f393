// A Python environment with the last release of runpod-flash, created once and kept in the cache. A marker is written last; an environment without
// it is incomplete and created again. Every file is checked by its hash (`demo.lock`, written by scripts/refresh-locks.ts).
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findOnPath, openCacheDir } from '@runyard/kit'
import { errorMessage, RunyardError } from '@runyard/schema'
import { CLI_ROOT } from '../locations.ts'
import { fetchWheel } from '../stack/wheel.ts'

const run = promisify(execFile)

export const FLASH = 'runpod-flash==1.21.0'
const LOCK = join(CLI_ROOT, 'demo.lock')
/** As pinned in `fetch-wheel.py`. */
const UV_VERSION = '0.13.9'

export interface FlashEnvironment {
  readonly python: string
}

/** @throws RunyardError with one sentence. */
export async function ensureFlashEnvironment(options: { env: NodeJS.ProcessEnv; signal: AbortSignal }): Promise<FlashEnvironment> {
  const { env, signal } = options
  const digest = createHash('sha256')
    .update(await readFile(LOCK))
    .digest('hex')
    .slice(0, 8)
  const directory = join(openCacheDir(env), 'venvs', `demo-${FLASH.replace('==', '-')}-${digest}`)
  const python = join(directory, 'bin', 'python')
  if (existsSync(join(directory, '.complete'))) return { python }
  const base = await findOnPath('python3', env)
  if (base === undefined)
    throw new RunyardError('bad_request', 'The demo needs Python 3.10 or newer (Debian: apt-get install python3-venv).')
  await rm(directory, { recursive: true, force: true })
  await mkdir(join(directory, '..'), { recursive: true })
  const execute = async (command: string, args: readonly string[]): Promise<void> => {
    await run(command, args, { env, signal })
  }
  try {
    await install({ directory, base, python, uv: await findUv(env) }, execute)
  } catch (error) {
    signal.throwIfAborted()
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string }
    const words = (stderr.trim() || stdout.trim()).split('\n').filter((line) => line.trim() !== '')
    throw new RunyardError('bad_request', `${FLASH} could not be installed: ${words.at(-1) ?? errorMessage(error)}`, { cause: error })
  }
  await writeFile(join(directory, '.complete'), '')
  return { python }
}

/** From the PATH, else by its pinned wheel; without it pip takes ten times as long. */
async function findUv(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const found = await findOnPath('uv', env)
  if (found !== undefined) return found
  const directory = join(openCacheDir(env), `uv-wheel-${UV_VERSION}`)
  try {
    await fetchWheel({ name: 'uv', directory, env, say: () => undefined })
  } catch {
    return undefined
  }
  return join(directory, `uv-${UV_VERSION}.data`, 'scripts', 'uv')
}

interface Installation {
  readonly directory: string
  readonly base: string
  readonly python: string
  readonly uv: string | undefined
}

async function install(
  { directory, base, python, uv }: Installation,
  execute: (command: string, args: readonly string[]) => Promise<void>,
): Promise<void> {
  const locked = ['--quiet', '--require-hashes', '-r', LOCK]
  if (uv === undefined) {
    await execute(base, ['-m', 'venv', directory])
    await execute(python, ['-m', 'pip', 'install', '--disable-pip-version-check', ...locked])
    return
  }
  await execute(uv, ['venv', '--quiet', '--python', base, directory])
  await execute(uv, ['pip', 'install', '--python', python, ...locked])
}
