// Runpod's own deploy tools, unmodified, in the project folders of their users: `flash` of Flash 1.21 and `rp` of the SDK 2.0.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeProject, pythonEnv, runPython, runToEnd } from './python.ts'
import type { Program } from './python-forks.ts'
import type { Stack } from './stack.ts'
import { venvPath, type VenvName } from './venvs.ts'

export type DeployVenv = Extract<VenvName, 'flash-1.21' | 'runpod-2.0'>
export type Project = { readonly dir: string } & AsyncDisposable
export type App = { readonly id: string; readonly name: string; readonly flashEnvironments: readonly Environment[] }
export type Environment = {
  readonly name: string
  readonly activeBuildId: string
  readonly endpoints: readonly { readonly id: string; readonly name: string }[]
}

const APPS = 'query { myself { flashApps { id name flashEnvironments { id name activeBuildId endpoints { id name } } } } }'

/** `more`: variables of the shell in a folder, beside those that `runyard env --deployed` prints. */
export function createDeployTools(stack: Stack, more: (dir: string) => Readonly<Record<string, string>> = () => ({})) {
  const shell = (dir: string): Record<string, string> => {
    const { FLASH_IS_LIVE_PROVISIONING: _, ...env } = stack.env
    return { ...env, ...more(dir) }
  }
  /** For a tool that the caller starts: a fork, as programs are (`fork_server.py`). */
  const command = (venv: DeployVenv, dir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program => {
    const name = venv === 'flash-1.21' ? 'flash' : 'rp'
    return { name, venv, argv: [`${venvPath(venv)}/bin/${name}`, ...args], cwd: dir, env: pythonEnv(venv, dir, { ...shell(dir), ...env }) }
  }
  const apps = async (): Promise<readonly App[]> => {
    const { myself } = (await stack.api.graphql(APPS)) as { myself: { flashApps: readonly App[] } }
    return myself.flashApps
  }
  return {
    /** A folder with that program. */
    project: (program: string): Promise<Project> => makeProject([program]),
    /** New code: another word in the program. */
    async rewrite(dir: string, program: string, [word, other]: readonly [string, string]): Promise<void> {
      const path = join(dir, program)
      await writeFile(path, (await readFile(path, 'utf8')).replace(`"${word}"`, `"${other}"`))
    },
    command,
    /** Runs a command of the tool. @throws with its output where it fails */
    async tool(venv: DeployVenv, dir: string, args: readonly string[]): Promise<string> {
      const { code, stdout, stderr } = await runToEnd(command(venv, dir, args), 200_000)
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
      return stdout
    },
    /** Runs the program of the folder, which calls what was deployed; returns what it prints. */
    async call(venv: DeployVenv, dir: string, program: string, env: Readonly<Record<string, string>> = {}) {
      return (await runPython({ venv, program, cwd: dir, env: { ...shell(dir), ...env } })).found
    },
    apps,
    async environmentOf(app: string, environment?: string): Promise<Environment | undefined> {
      const environments = (await apps()).find(({ name }) => name === app)?.flashEnvironments
      return environment === undefined ? environments?.[0] : environments?.find(({ name }) => name === environment)
    },
  }
}
