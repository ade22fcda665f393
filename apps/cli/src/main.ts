// The `runyard` command.
import { askOnTerminal } from './ask.ts'
import { runCommandLine } from './command-line.ts'
import { createTerminal } from './output/terminal.ts'

const INTERRUPTED = 130

const code = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: createTerminal(process.stdout),
  err: createTerminal(process.stderr),
  ask: askOnTerminal(process),
})
// A step that ignores the signal would keep the process alive.
if (code === INTERRUPTED) process.exit(code)
process.exitCode = code
