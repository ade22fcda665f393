// The `runyard` command.
import { runCommandLine } from './command-line.ts'
import { createTerminal } from './output/terminal.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: createTerminal(process.stdout),
  err: createTerminal(process.stderr),
})
