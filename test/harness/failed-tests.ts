// Shows why a scenario failed: prints the last lines of each part of its stack, and keeps their whole output and the stack's data directory.
// Otherwise a failed test shows only the condition that it waited for.
import { cp, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface RunningStack {
  readonly dataDir: string
  readonly parts: () => readonly { readonly name: string; readonly output: () => string }[]
}

const LINES_SHOWN = 25
/** Further failures in the same file mostly have the same reason. */
const MOST_KEPT = 2

const running = new Set<RunningStack>()
let kept = 0

/** A failed test shows this stack, until the result is disposed. */
export function watchStack(stack: RunningStack): Disposable {
  running.add(stack)
  return { [Symbol.dispose]: () => void running.delete(stack) }
}

/** Call it before each file: files share this process. */
export function forgetKept(): void {
  running.clear()
  kept = 0
}

/** All stacks that the file has started. */
export async function showStacks(title: string): Promise<void> {
  if (kept >= MOST_KEPT) return
  for (const stack of running) {
    kept += 1
    await keep(stack, title)
  }
}

async function keep({ dataDir, parts }: RunningStack, title: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'runyard-failed-'))
  // Sockets cannot be copied, and a file that a part is writing may be gone when it is read.
  const isFile = (path: string): boolean => !path.endsWith('.sock')
  await cp(dataDir, join(directory, 'data'), { recursive: true, filter: isFile }).catch(() => undefined)
  const shown = [`"${title}" failed; its logs and data directory are kept in ${directory}`]
  for (const { name, output } of parts()) {
    await writeFile(join(directory, `${name}.log`), output())
    shown.push(`--- ${name}, last lines`, ...output().trimEnd().split('\n').slice(-LINES_SHOWN))
  }
  console.log(shown.join('\n'))
}
