// `runyard key`: the API key of the data directory, and nothing else on stdout.
import { RunyardError } from '@runyard/schema'
import type { CommandContext } from '../command.ts'
import { findDataDir } from '../settings.ts'
import { readKey } from '../stack/data-dir.ts'

export async function run(context: CommandContext): Promise<number> {
  const dataDir = await findDataDir(context)
  const key = await readKey(dataDir)
  if (key === undefined) throw new RunyardError('not_found', `there is no key in ${dataDir}; \`./runyard up\` makes one.`)
  context.out.line(key)
  return 0
}
