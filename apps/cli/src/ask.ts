// Asks before something that cannot be undone. Scripts say `--yes`.
import { createInterface } from 'node:readline/promises'
import { UsageError, type CommandContext } from './command.ts'

/** True: go on. Without a terminal there is no person to ask. @throws UsageError */
export async function confirm({ options, ask }: Pick<CommandContext, 'options' | 'ask'>, what: string): Promise<boolean> {
  if (options['yes'] === true) return true
  if (ask === undefined) throw new UsageError(`${what}; --yes does it without a question.`)
  return /^y(es)?$/iu.test((await ask(`${what}. Go on? [y/N] `)).trim())
}

/** Undefined where no person can answer. */
export function askOnTerminal({ stdin, stderr }: Pick<NodeJS.Process, 'stdin' | 'stderr'>): CommandContext['ask'] {
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  return async (question) => {
    const lines = createInterface({ input: stdin, output: stderr })
    try {
      return await lines.question(question)
    } finally {
      lines.close()
    }
  }
}
