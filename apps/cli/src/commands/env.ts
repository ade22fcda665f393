// `runyard env`: export lines for the running stack, or for the gateway that two of the variables name, and nothing else on stdout, so that
// `eval` can have it.
import { clientVariables, renderExports } from '../client-exports.ts'
import type { CommandContext } from '../command.ts'
import { findSource } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  context.out.write(renderExports(clientVariables(await findSource(context))))
  return 0
}
