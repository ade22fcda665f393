// `runyard env`: export lines for the running stack, or for the gateway that two of the variables name. Nothing else goes to stdout, so that
// `eval` can use it.
import { clientVariables, renderExports } from '../client-exports.ts'
import type { CommandContext } from '../command.ts'
import { findSource } from '../settings.ts'
import { readTls } from '../stack/tls-files.ts'

export async function run(context: CommandContext): Promise<number> {
  const { dataDir, ...source } = await findSource(context)
  const variables = clientVariables({ ...source, tls: dataDir === undefined ? undefined : await readTls(dataDir) })
  context.out.write(renderExports(variables, { areDeployed: context.options['deployed'] === true }))
  return 0
}
