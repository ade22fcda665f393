// What a failed scenario leaves to look at: the last lines of its stack's parts on the terminal, their whole output and the stack's data
// directory in a directory that stays. Without it a test says only which condition it waited for in vain.
import { cp, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface RunningStack {
  readonly dataDir: string
  readonly parts: () => readonly { readonly name: string; readonly output: () => string }[]
}

const LINES_SHOWN = 25
/** Whatever else fails in the same file mostly fails for the same reason. */
const MOST_KEPT = 2

const running = new Set<RunningStack>()
let kept = 0

/** Until it is disposed, a failed test shows this stack. */
export function watchStack(stack: RunningStack): Disposable {
  running.add(stack)
  return { [Symbol.dispose]: () => void running.delete(stack) }
}

/** Of every stack that runs in this process. */
export async function showStacks(title: string): Promise<void> {
  if (kept >= MOST_KEPT) return
  for (const stack of running) {
    kept += 1
    await keep(stack, title)
  }
}

async function keep({ dataDir, parts }: RunningStack, title: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'runyard-failed-'))
  // Sockets cannot be copied, and what a part writes just now may be gone when it is read.
  const isFile = (path: string): boolean => !path.endsWith('.sock')
  await cp(dataDir, join(directory, 'data'), { recursive: true, filter: isFile }).catch(() => undefined)
  const shown = [`"${title}" failed; its logs and data directory are kept in ${directory}`]
  for (const { name, output } of parts()) {
    await writeFile(join(directory, `${name}.log`), output())
    shown.push(`--- ${name}, last lines`, ...output().trimEnd().split('\n').slice(-LINES_SHOWN))
  }
  console.log(shown.join('\n'))
}
