// `runyard up`: the stack in the foreground. Ctrl-C drains and stops it, a second Ctrl-C stops it at once; state stays in the data directory.
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@runyard/client'
import { aborted } from '@runyard/kit'
import { RunyardError } from '@runyard/schema'
import { clientVariables, quotePosix } from '../client-exports.ts'
import { textOption, type CommandContext } from '../command.ts'
import { createStatusBlock, readRows, type StatusBlock } from '../output/live-status.ts'
import { createProgress } from '../output/progress.ts'
import type { Terminal } from '../output/terminal.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { keyFile, readKey } from '../stack/data-dir.ts'
import { openStack, type Stack } from '../stack/open-stack.ts'
import { stopAtOnce } from '../stack/stop-at-once.ts'
import { listenForStop, type StopSignals } from '../stop-signals.ts'
import { VERSION } from '../version.ts'

const LOOK_EVERY_MS = 1000

export async function run(context: CommandContext): Promise<number> {
  const port = textOption(context, 'port')
  const env = port === undefined ? context.env : { ...context.env, RUNYARD_LISTEN_PORT: port }
  const settings = await loadSettings({ ...context, env })
  const { out } = context
  const block = createStatusBlock(out)
  using signals = listenForStop()
  out.line(`${out.bold(`Runyard ${VERSION}`)}  ${out.dim(settings.dataDir)}`)
  const stack = await openStack({
    settings,
    env,
    progress: createProgress(out),
    onNews: (line) => {
      block.say(line)
    },
    signal: signals.polite,
  }).catch((error: unknown) => {
    if (signals.polite.aborted) return undefined
    throw error
  })
  if (stack === undefined) return 130
  printClients(out, stack, textOption(context, 'data'))
  await watch(stack, { block, settings }, signals.polite)
  await stop(stack, { block, out, signals })
  return 0
}

function printClients(out: Terminal, stack: Stack, namedDir: string | undefined): void {
  const { url, key } = stack
  const where = namedDir === undefined ? '' : ` --data ${quotePosix(namedDir)}`
  const variables = new Map(clientVariables(stack).map(({ name, value }) => [name, value]))
  const block = (title: string, names: readonly string[]): void => {
    out.line(out.dim(`# ${title}`))
    for (const name of names) out.line(`export ${name}=${variables.get(name)}`)
  }
  out.line(`\n  url        ${out.bold(url)}\n  key        ${out.bold(key)}\n`)
  out.line(`Point your clients here, all at once: ${out.bold(`eval "$(./runyard env${where})"`)}, or one by one:\n`)
  block('every client', ['RUNPOD_API_KEY', 'RUNPOD_ENDPOINT_BASE_URL', 'RUNPOD_API_BASE_URL'])
  block('runpod-flash, besides', [
    'RUNPOD_REST_API_URL',
    'RUNPOD_HAPI_URL',
    'RUNPOD_CONSOLE_URL',
    'FLASH_IS_LIVE_PROVISIONING',
    'FLASH_NO_UPDATE_CHECK',
  ])
  out.line(out.dim('# runpod 1.x: the key is set in the program'))
  out.line('python -c \'import os, runpod; runpod.api_key = os.environ["RUNPOD_API_KEY"]\'')
  out.line(out.dim('# runpod 2.0: nothing more; rp flash dev main.py'))
  out.line(out.dim('# runpod-sdk (JavaScript)'))
  out.line('runpodSdk(process.env.RUNPOD_API_KEY, { baseUrl: process.env.RUNPOD_ENDPOINT_BASE_URL })')
  out.line(out.dim('# curl'))
  out.line(`curl -H "Authorization: Bearer $RUNPOD_API_KEY" ${url}/v2/serverless\n`)
  out.line(`${out.dim('Ctrl-C drains and stops; a second one stops at once.')}\n`)
}

interface Watch {
  readonly block: StatusBlock
  readonly settings: Pick<Settings, 'dataDir'>
}

/** Shows what goes on until the signal aborts. A gateway that is away for a moment shows the last rows; a rotated key is in the key file. */
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

async function stop(stack: Stack, { block, out, signals }: { block: StatusBlock; out: Terminal; signals: StopSignals }): Promise<void> {
  block.end()
  out.line(
    `${out.isTty ? '\r\u001B[K' : ''}stopping: running jobs finish, then their workers go ${out.dim('(Ctrl-C again stops at once)')}`,
  )
  const drained = stack[Symbol.asyncDispose]().then(() => true)
  const isDrained = await Promise.race([drained, aborted(signals.hard).then(() => false)])
  if (!isDrained) {
    for (const problem of await stopAtOnce(stack)) out.line(problem)
    await drained
  }
  out.line(isDrained ? 'stopped' : 'stopped at once; what was running starts again with the next `up`')
}
