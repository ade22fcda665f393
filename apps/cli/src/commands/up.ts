// `runyard up`: runs the stack in the foreground. Ctrl-C drains and stops it, a second Ctrl-C stops it at once. State stays in the data directory.
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@runyard/client'
import { aborted } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { quotePosix } from '../client-exports.ts'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { createStatusBlock, readRows, type StatusBlock } from '../output/live-status.ts'
import { createProgress } from '../output/progress.ts'
import { renderTable } from '../output/table.ts'
import type { Terminal } from '../output/terminal.ts'
import { pageLink } from '../page-link.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { keyFile, readKey } from '../stack/data-dir.ts'
import type { Stack } from '../stack/open-stack.ts'
import { startStack } from '../stack/start-stack.ts'
import { stopAtOnce } from '../stack/stop-at-once.ts'
import { listenForStop, type StopSignals } from '../stop-signals.ts'
import { VERSION } from '../version.ts'

const LOOK_EVERY_MS = 1000

export async function run(context: CommandContext): Promise<number> {
  const port = portOption(context)
  const env = port === undefined ? context.env : { ...context.env, RUNYARD_LISTEN_PORT: port }
  const loaded = await loadSettings({ ...context, env })
  const settings = port === undefined ? loaded : { ...loaded, origins: { ...loaded.origins, 'listen.port': '--port' } }
  const { out } = context
  const block = createStatusBlock(out)
  using signals = listenForStop()
  out.line(`${out.bold(`Runyard ${VERSION}`)}  ${out.dim(settings.dataDir)}`)
  for (const sentence of settings.strayVariables) out.line(`  ${out.warn(sentence)}`)
  const onNews = (line: string): void => block.say(line)
  const stack = await startStack({ settings, env, progress: createProgress(out), onNews }, signals)
  if (stack === undefined) {
    if (out.isTty) out.write('\r\u001B[K')
    out.line('stopped before it was up')
    return 130
  }
  await printNext(out, stack, textOption(context, 'data'))
  const over = new AbortController()
  try {
    await Promise.race([watch(stack, { block, settings }, AbortSignal.any([signals.polite, over.signal])), stack.failed])
  } catch (error) {
    over.abort()
    block.end()
    // Its workers may belong to another Runyard by now.
    stack.kill()
    await stack[Symbol.asyncDispose]()
    throw error
  }
  await stop(stack, { block, out, signals })
  return 0
}

/** Validated here, because the error of the settings would name a variable. @throws UsageError */
function portOption(context: CommandContext): string | undefined {
  const text = textOption(context, 'port')
  if (text === undefined || (/^\d{1,5}$/u.test(text) && Number(text) <= 65_535)) return text
  throw new UsageError(`--port takes a whole number from 0 to 65535; "${text}" is none.`)
}

/** The next steps, in a few lines that stay on the screen; `env` has the variables of all clients. */
async function printNext(out: Terminal, { url, key, logDir }: Stack, namedDir: string | undefined): Promise<void> {
  const where = namedDir === undefined ? '' : ` --data ${quotePosix(namedDir)}`
  const link = await pageLink({ url, key }).catch(() => url)
  const rows = [
    ['open', `${out.bold(link)} ${out.dim(`(once, within ten minutes; then ./runyard open${where})`)}`],
    ['url', url],
    ['key', `${maskKey(key)} ${out.dim(`(./runyard key${where} prints it)`)}`],
    ['clients', `${out.bold(`eval "$(./runyard env${where})"`)} ${out.dim('in their shell')}`],
    ['logs', logDir],
    ['stop', 'Ctrl-C drains and stops; a second one stops at once'],
  ]
  const titled = rows.map(([title = '', text = '']) => [`  ${out.dim(title)}`, text])
  for (const line of ['', ...renderTable(out, titled), '']) out.line(line)
}

/** Shows only enough of a key to distinguish keys, because terminals may be recorded. */
export function maskKey(key: string): string {
  return key.length < 16 ? '…' : `${key.slice(0, 4)}…${key.slice(-4)}`
}

interface Watch {
  readonly block: StatusBlock
  readonly settings: Pick<Settings, 'dataDir'>
}

/** Shows the live status until the signal aborts. While the gateway is unavailable it shows the last rows; a rotated key is in the key file. */
async function watch({ url, key }: Stack, { block, settings: { dataDir } }: Watch, signal: AbortSignal): Promise<void> {
  let current: string | undefined = key
  while (!signal.aborted) {
    try {
      if (current !== undefined) block.show(await readRows(createClient({ url, key: current }, { signal })))
    } catch (error) {
      if (!signal.aborted && !(error instanceof RunyardError)) throw error
      if (error instanceof RunyardError && error.code === 'unauthorized') current = await findOtherKey(current)
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }

  async function findOtherKey(refused: string | undefined): Promise<string | undefined> {
    const found = await readKey(dataDir)
    if (found !== undefined && found !== refused) return found
    block.say(`the key in ${keyFile(dataDir)} was revoked: delete the file, stop and start again`)
    return undefined
  }
}

const WORDS = {
  drained: 'stopped',
  hurried: 'stopped at once; what was running starts again with the next `up`',
  undrained: 'stopped; the workers could not be drained and were ended, and what they ran starts again with the next `up`',
} as const

async function stop(stack: Stack, { block, out, signals }: { block: StatusBlock; out: Terminal; signals: StopSignals }): Promise<void> {
  block.end()
  if (out.isTty) out.write('\r\u001B[K')
  out.line(`stopping: running jobs finish, then their workers go ${out.dim('(Ctrl-C again stops at once)')}`)
  const drained = stack[Symbol.asyncDispose]().then(() => 'drained' as const)
  const hurried = aborted(signals.hard).then(() => 'hurried' as const)
  const undrained = stack.undrained.then(() => 'undrained' as const)
  const end = await Promise.race([drained, hurried, undrained])
  if (end !== 'drained') {
    // Parts that a scaler which gave up leaves end by themselves, and Redis writes down what it has.
    const ending = end === 'hurried' ? stack : { ...stack, kill: () => {} }
    for (const problem of await stopAtOnce(ending)) out.line(problem)
    await Promise.race([drained, hurried.then(() => stack.kill())])
    await drained
  }
  out.line(WORDS[end])
}
