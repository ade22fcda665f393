// Lua scripts as values, and how they are run. ioredis sends the text once per connection and the hash afterwards.
import type { Redis } from 'ioredis'

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
    if (commands[script.name] === undefined) client.defineCommand(script.name, { numberOfKeys: script.keys, lua: script.lua })
    const run = commands[script.name]
    if (run === undefined) throw new Error(`script ${script.name} is not defined`)
    return run.call(client, ...keys, ...args)
  }
}
