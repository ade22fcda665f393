// Named stacks of an operator who has several (`runyard use`). The file has API keys, so it is the user's alone.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { createDirs } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { z } from 'zod'

const Context = z.union([z.strictObject({ url: z.string(), key: z.string() }), z.strictObject({ data: z.string() })])
export type NamedContext = z.infer<typeof Context>

const Contexts = z.strictObject({ current: z.string().optional(), contexts: z.record(z.string(), Context).default({}) })
export type Contexts = z.infer<typeof Contexts>

export function contextsFile({ XDG_CONFIG_HOME: home, HOME }: NodeJS.ProcessEnv): string {
  return join(home || join(HOME || homedir(), '.config'), 'runyard', 'contexts.json')
}

/** @throws RunyardError if the file is damaged. */
export async function readContexts(env: NodeJS.ProcessEnv): Promise<Contexts> {
  const file = contextsFile(env)
  const text = await readFile(file, 'utf8').catch(() => '{}')
  try {
    return Contexts.parse(JSON.parse(text))
  } catch (error) {
    throw new RunyardError('bad_request', `${file} is no list of contexts; mend or remove it.`, { cause: error })
  }
}

export async function writeContexts(env: NodeJS.ProcessEnv, contexts: Contexts): Promise<void> {
  const file = contextsFile(env)
  createDirs(dirname(file))
  await writeFile(`${file}.new`, `${JSON.stringify(contexts, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** The one in use, with its name. */
export async function currentContext(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly name: string; readonly context: NamedContext } | undefined> {
  const { current, contexts } = await readContexts(env)
  const context = current === undefined ? undefined : contexts[current]
  return current === undefined || context === undefined ? undefined : { name: current, context }
}
