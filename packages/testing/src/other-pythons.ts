// The Pythons of this machine beside the usual one: deployed apps and clients have others. A separate entry point, because the harness asks before vitest runs.
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface FoundPython {
  readonly path: string
  /** E.g. `3.12` */
  readonly minor: string
}

const MINORS = ['3.10', '3.11', '3.12', '3.13'] as const
const ITSELF = 'import sys; print("%d.%d" % sys.version_info[:2], sys.executable)'

/** One of each minor version that workers may have, except that of `python3`: on the PATH, or of pyenv. */
export async function findOtherPythons(): Promise<readonly FoundPython[]> {
  const usual = await ask('python3')
  const found = await Promise.all(MINORS.filter((minor) => minor !== usual?.minor).map(find))
  return found.filter((python) => python !== undefined)
}

async function find(minor: string): Promise<FoundPython | undefined> {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions')
  for (const command of [`python${minor}`, ...globSync(join(versions, `${minor}.*`, 'bin', `python${minor}`))]) {
    const answer = await ask(command)
    if (answer?.minor === minor) return answer
  }
  return undefined
}

/** Undefined: it does not run. pyenv also puts names on the PATH that it has no Python for. */
async function ask(command: string): Promise<FoundPython | undefined> {
  try {
    const [minor = '', path = ''] = (await promisify(execFile)(command, ['-c', ITSELF], { timeout: 60_000 })).stdout.trim().split(' ')
    return { minor, path }
  } catch {
    return undefined
  }
}
