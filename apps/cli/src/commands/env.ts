// `runyard env`: export lines for the running stack, or for the gateway that two of the variables name. Nothing else goes to stdout, so that
// `eval` can use it.
import { clientVariables, renderExports } from '../client-exports.ts'
import type { CommandContext } from '../command.ts'
import { findSource } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  context.out.write(renderExports(clientVariables(await findSource(context))))
  return 0
}
