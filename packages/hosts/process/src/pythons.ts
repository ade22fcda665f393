// The Pythons of this machine. A deployed app brings packages that were compiled for one minor version, so its workers run with that one. A name on the
// PATH proves nothing (pyenv puts there what is not installed), so each is run once.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findOnPath } from '@runyard/kit'
import { RunyardError, type LaunchedBuild } from '@runyard/schema'

/** As its users' clients may build for. */
const MINORS = ['3.10', '3.11', '3.12', '3.13', '3.14'] as const
const VERSION = 'import sys; print("%d.%d" % sys.version_info[:2])'
const ANSWERS_WITHIN_MS = 10_000
/** One that is installed later is found then. */
const LOOK_AGAIN_MS = 5 * 60_000

export interface PythonsOptions {
  /** The Python of all other workers; undefined: python3 on the PATH. */
  readonly pythonPath: string | undefined
  /** Minor version → interpreter (setting `pythons`). */
  readonly configured: Readonly<Record<string, string>>
  readonly env: NodeJS.ProcessEnv
}

export type Pythons = ReturnType<typeof createPythons>

export function createPythons(options: PythonsOptions) {
  let looked: { readonly at: number; readonly found: Promise<ReadonlyMap<string, string>> } | undefined
  let known: readonly string[] | undefined
  const look = async (): Promise<ReadonlyMap<string, string>> => {
    if (looked === undefined || Date.now() - looked.at > LOOK_AGAIN_MS) looked = { at: Date.now(), found: findAll(options) }
    const found = await looked.found
    known = [...found.keys()]
    return found
  }
  return {
    /** The minor versions that there are, e.g. `3.12`; undefined: no deployed app has asked for one yet. */
    known(): readonly string[] | undefined {
      // In the background, because a list of Pythons that may be a little old delays nothing.
      if (known !== undefined) void look()
      return known
    },
    /** The interpreter of a worker; undefined: the agent's own choice. @throws RunyardError naming the version that is missing. */
    async of(build: LaunchedBuild | undefined): Promise<string | undefined> {
      if (build === undefined || build.pythonVersion === null) return options.pythonPath
      const found = (await look()).get(build.pythonVersion)
      if (found !== undefined) return found
      const { pythonVersion: wanted } = build
      const sentence = `The app was built for Python ${wanted}, and this machine has no python${wanted}: install it, or name it in the setting pythons.`
      throw new RunyardError('unprocessable', sentence, { fault: 'python' })
    },
  }
}

async function findAll({ pythonPath, configured, env }: PythonsOptions): Promise<ReadonlyMap<string, string>> {
  const usual = pythonPath ?? (await findOnPath('python3', env))
  const named = await Promise.all(MINORS.map(async (minor) => configured[minor] ?? (await findOnPath(`python${minor}`, env))))
  const candidates = [...Object.values(configured), ...(usual === undefined ? [] : [usual]), ...named.filter((path) => path !== undefined)]
  const found = await Promise.all([...new Set(candidates)].map(async (path) => ({ path, minor: await versionOf(path, env) })))
  const pythons = new Map<string, string>()
  // The first of a version counts: what the operator named, then the Python of all other workers.
  for (const { path, minor } of found) if (minor !== undefined && !pythons.has(minor)) pythons.set(minor, path)
  return pythons
}

async function versionOf(path: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['-I', '-c', VERSION], { env, timeout: ANSWERS_WITHIN_MS, killSignal: 'SIGKILL' })
    return stdout.trim()
  } catch {
    return undefined
  }
}
