// What a worker's container runs instead of its image's own command. Runpod's "container start command" is either a line that replaces the
// image's CMD, or JSON with `cmd` and `entrypoint` (management §6.2 "dockerArgs"; Runpod's documentation of templates).
import { shown, RunyardError, StartCommandJson } from '@runyard/schema'
import type { EndpointSpec } from '@runyard/schema'
import { splitArgs } from './split-args.ts'

export interface StartCommand {
  /** Empty: the image's own. */
  readonly entrypoint: readonly string[]
  readonly args: readonly string[]
}

/** An entrypoint inside the JSON overrides the separate field. @throws RunyardError('bad_request') */
export function startCommandOf({ args, entrypoint = [] }: Pick<EndpointSpec, 'args' | 'entrypoint'>): StartCommand {
  // No program is called `{"cmd":…`, so this can only be JSON.
  if (!/^\s*\{\s*"/.test(args)) return { entrypoint, args: splitArgs(args) }
  const given = readJson(args)
  return { entrypoint: given.entrypoint ?? entrypoint, args: given.cmd ?? [] }
}

function readJson(text: string): StartCommandJson {
  try {
    return StartCommandJson.parse(JSON.parse(text))
  } catch (error) {
    const sentence = `args: a start command in JSON is {"cmd": ["…"], "entrypoint": ["…"]}, each a list of words; ${shown(text)} was given.`
    throw new RunyardError('bad_request', sentence, { cause: error })
  }
}
