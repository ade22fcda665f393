// A stand-in for nvidia-smi: a program of that name that prints what a test gives it, again and again, like `nvidia-smi -q -x -l`; and one for
// `journalctl --follow`, which prints the lines of the kernel.
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** It reports faster than the real one, so that a test need not wait. `hang`: it says nothing and does not end by SIGTERM. */
const PROGRAM = `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  -L) exec cat "$here/list";;
  *-l*) ;;
  *) exec cat "$here/report";;
esac
trap '' TERM
while :; do
  if [ -e "$here/failure" ]; then cat "$here/failure"; exit 9; fi
  [ -e "$here/hang" ] || cat "$here/report" || exit 1
  sleep 0.3
done
`

export interface StandInSmi extends AsyncDisposable {
  /** To be first on the PATH. */
  readonly directory: string
  report(xml: string, list?: string): Promise<void>
  /** What it says instead of a report before it ends; undefined: it works again. */
  fail(words: string | undefined): Promise<void>
  hang(hangs: boolean): Promise<void>
  /** A line of the kernel's log. */
  kernel(line: string): Promise<void>
}

export async function standInSmi(xml: string, list = ''): Promise<StandInSmi> {
  const directory = await mkdtemp(join(tmpdir(), 'runyard-smi-'))
  /** At once, because it is read at any time. */
  const write = async (name: string, text: string, mode = 0o644): Promise<void> => {
    await writeFile(join(directory, `${name}.new`), text, { mode })
    await rename(join(directory, `${name}.new`), join(directory, name))
  }
  const put = async (name: string, text: string | undefined): Promise<void> =>
    text === undefined ? rm(join(directory, name), { force: true }) : write(name, text)
  const report = async (text: string, names = list): Promise<void> => {
    await write('list', names)
    await write('report', text)
  }
  await report(xml)
  await write('nvidia-smi', PROGRAM, 0o755)
  await write('kernel', '')
  await write('journalctl', '#!/bin/sh\nexec tail -n +1 --pid=$PPID -f "$(dirname "$0")/kernel"\n', 0o755)
  return {
    directory,
    report,
    fail: (words) => put('failure', words),
    kernel: (line) => appendFile(join(directory, 'kernel'), `${line}\n`),
    hang: (hangs) => put('hang', hangs ? '' : undefined),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}
