// `runyard test`: runs the repository's own test runner, which prepares what the tests need.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { textOption, type CommandContext } from '../command.ts'
import { ROOT } from '../locations.ts'

export async function run(context: CommandContext): Promise<number> {
  const name = textOption(context, 'name')
  const words = [...context.positionals, ...(name === undefined ? [] : ['-t', name])]
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'test.ts'), ...words], {
    cwd: ROOT,
    env: context.env,
    // The channel closes when this process is killed, which the runner notices.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  // Ctrl-C also reaches the runner; it must clean up before this process ends.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      resolve(code ?? 1)
    })
  })
}
