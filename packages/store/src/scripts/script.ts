// Lua scripts as values, and how they are run. ioredis sends the text once per connection and the hash afterwards.
import type { Redis } from 'ioredis'
import type { Run } from './run-script.ts'
import { PRELUDE } from './prelude.ts'
import { usedParts } from './used-parts.ts'

export interface Script {
  readonly name: string
  readonly keys: number
  readonly lua: string
}

export type Argument = string | number
/** What a script answered. Lua's `false` arrives as null. */
export type Reply = string | number | null | readonly Reply[]

export type RunScript = (script: Script, keys: readonly string[], args: readonly Argument[]) => Promise<Reply>

export function createRunScript(client: Redis): RunScript {
  const commands = client as unknown as Record<string, (...args: Argument[]) => Promise<Reply>>
  return (script, keys, args) => {
    if (commands[script.name] === undefined) client.defineCommand(script.name, { numberOfKeys: script.keys, lua: leanLua(script) })
    const run = commands[script.name]
    if (run === undefined) throw new Error(`script ${script.name} is not defined`)
    return run.call(client, ...keys, ...args)
  }
}

/** A script on jobs carries of the prelude only what it uses. */
function leanLua({ lua }: Script): string {
  if (!lua.startsWith(PRELUDE)) return lua
  const own = lua.slice(PRELUDE.length)
  return `${usedParts(PRELUDE, own)}\n${own}`
}

/** While scripts move to `defineScript`. */
export type RunEither = RunScript & Run
export function runEither(old: RunScript, run: Run): RunEither {
  return ((script: Script | object, ...rest: never[]) =>
    'lua' in script
      ? old(script, ...(rest as unknown as [string[], Argument[]]))
      : run(script as never, ...(rest as unknown as [never]))) as RunEither
}
