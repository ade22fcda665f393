// `runyard env`: export lines for the running stack and nothing else on stdout, so that `eval` can have it.
import { clientVariables, renderExports } from '../client-exports.ts'
import type { CommandContext } from '../command.ts'
import { findRunning } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  context.out.write(renderExports(clientVariables(await findRunning(context))))
  return 0
}
