// `runyard demo`: the main job once, from nothing to a scaled-down endpoint, in a stack of its own that is gone afterwards.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, type Client } from '@runyard/client'
import { aborted } from '@runyard/kit'
import { RunyardError, type EndpointEvent } from '@runyard/schema'
import type { CommandContext } from '../command.ts'
import { explainFailure } from '../demo/explain-failure.ts'
import { ensureFlashEnvironment, FLASH, type FlashEnvironment } from '../demo/flash-environment.ts'
import { runScript } from '../demo/run-script.ts'
import { renderStory, writeStory } from '../demo/timeline.ts'
import { ROOT } from '../locations.ts'
import { createProgress, type Progress } from '../output/progress.ts'
import type { Terminal } from '../output/terminal.ts'
import { pageLink } from '../page-link.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { hasNvidiaGpu } from '../stack/gpu-line.ts'
import type { Stack } from '../stack/open-stack.ts'
import { startStack } from '../stack/start-stack.ts'
import { stopAtOnce } from '../stack/stop-at-once.ts'
import { listenForStop, type StopSignals } from '../stop-signals.ts'

const SIMULATED = 'NVIDIA GeForce RTX 4090:1'
const SCRIPT = join('examples', 'hello_flash.py')
const TO_ZERO_LIMIT_MS = 60_000
const LOOK_EVERY_MS = 100
const LONGEST_CLEAN_UP_MS = 30_000

export async function run(context: CommandContext): Promise<number> {
  using signals = listenForStop()
  const directory = await mkdtemp(join(tmpdir(), 'runyard-demo-'))
  try {
    return await runIn(directory, context, signals)
  } catch (error) {
    if (!signals.polite.aborted) throw error
    return 130
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function runIn(directory: string, context: CommandContext, signals: StopSignals): Promise<number> {
  const { out, env } = context
  const progress = createProgress(out)
  out.line(out.bold('Setting up'))
  const settings = await demoSettings(directory, context)
  const signal = signals.polite
  // Beside the stack, since it takes longest the first time.
  const flash = prepareFlash(env, signal)
  const onNews = (line: string): void => progress.say(line)
  const stack = await startStack({ settings, env: { ...env, ...settings.variables }, progress, onNews }, signals)
  if (stack === undefined) return 130
  let code: number
  try {
    code = await show(stack, { directory, context, progress, flash, signal })
    if (code === 0 && out.isTty && process.stdin.isTTY) await letLookAround(stack, out, signal)
  } finally {
    const closing = out.isTty ? progress.begin('clean-up') : undefined
    const closed = stack[Symbol.asyncDispose]().then(() => true)
    const isClosed = await Promise.race([
      closed,
      aborted(signals.hard).then(() => false),
      sleep(LONGEST_CLEAN_UP_MS, false, { ref: false }),
    ])
    if (!isClosed) for (const problem of await stopAtOnce(stack)) out.line(problem)
    await closed
    closing?.done('nothing left behind but caches (Python packages, worker image)')
  }
  if (code === 0) sayWhatNext(out)
  return code
}

/** An instance of its own: free ports, a fresh directory, and a declared card where there is no real one. */
async function demoSettings(directory: string, context: CommandContext): Promise<Settings & { variables: Record<string, string> }> {
  const { env } = context
  const variables: Record<string, string> = {
    RUNYARD_LISTEN_PORT: '0',
    RUNYARD_WORKER_PLANE_PORT: '0',
    RUNYARD_DATA_DIR: join(directory, 'data'),
    // A cache is of one installation: it would stay behind.
    RUNYARD_DEPENDENCY_CACHE_BYTES: '0',
  }
  const { config } = await loadSettings(context)
  if (config.simulatedGpus === undefined && !(await hasNvidiaGpu())) {
    variables['RUNYARD_SIMULATED_GPUS'] = SIMULATED
  }
  const withoutRedis = Object.fromEntries(Object.entries({ ...env, ...variables }).filter(([name]) => !OWN_REDIS.has(name)))
  return { ...(await loadSettings({ ...context, env: withoutRedis })), variables }
}

/** A demo writes nothing into a Redis that is somebody's. */
const OWN_REDIS = new Set(['REDIS_URL', 'RUNYARD_REDIS_URL'])

interface ShowOptions {
  readonly directory: string
  readonly context: CommandContext
  readonly progress: Progress
  readonly flash: Promise<FlashEnvironment>
  readonly signal: AbortSignal
}

/** Its failure is reported where its result is awaited. */
function prepareFlash(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<FlashEnvironment> {
  const flash = ensureFlashEnvironment({ env, signal })
  flash.catch(() => {})
  return flash
}

async function show(stack: Stack, { directory, context, progress, flash, signal }: ShowOptions): Promise<number> {
  const { out, env } = context
  const step = progress.begin('flash')
  step.note(`installing ${FLASH} (once)`)
  const { python } = await flash
  step.done(`${FLASH.replace('==', ' ')}, unmodified`)
  out.line()
  out.line(`${out.bold('Running')} ${SCRIPT}`)
  const onLine = (line: string): void => {
    out.line(`  ${line}`)
  }
  const client = createClient(stack, { signal })
  const script = join(ROOT, SCRIPT)
  const columns = out.columns - 2
  const { code, output } = await runScript({ python, script, cwd: directory, env, stack, columns, onLine, signal })
  signal.throwIfAborted()
  if (code !== 0) {
    out.line()
    out.line(out.bad(`The script failed (exit code ${code}).`))
    for (const line of await explainFailure({ client, output, logDir: stack.logDir })) out.line(line)
    return 1
  }
  const body = stack.choice.hosts.some(({ kind }) => kind === 'process') ? 'process' : 'container'
  const events = await untilZero(client, { out, progress, signal })
  for (const line of renderStory(writeStory(events, body), out)) out.line(line)
  return 0
}

/** Waits until the worker is gone, and returns all that happened. */
async function untilZero(
  client: Client,
  { out, progress, signal }: Pick<ShowOptions, 'progress' | 'signal'> & { out: Terminal },
): Promise<readonly EndpointEvent[]> {
  const [endpoint] = await client.listEndpoints()
  if (endpoint === undefined) throw new RunyardError('internal', 'The script ran, but no endpoint is there.')
  const step = out.isTty ? progress.begin('to zero') : undefined
  step?.note('waiting for the idle worker to be retired')
  const deadline = performance.now() + TO_ZERO_LIMIT_MS
  for (;;) {
    const events = await client.listEvents(endpoint.id)
    if (events.some(({ kind }) => kind === 'worker_gone') || performance.now() > deadline) {
      step?.done('the idle worker was retired and removed')
      return events
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** A person may see in the page what has just happened, before all of it goes. */
async function letLookAround({ url, key }: Stack, out: Terminal, signal: AbortSignal): Promise<void> {
  const link = await pageLink({ url, key }).catch(() => undefined)
  if (link === undefined) return
  for (const line of ['', out.bold('The page'), `  ${link}`, `  ${out.dim('Enter ends the demo')}`]) out.line(line)
  await Promise.race([once(process.stdin, 'data', { signal }), aborted(signal)]).catch(() => undefined)
  process.stdin.pause()
}

function sayWhatNext(out: Terminal): void {
  out.line()
  out.line(out.bold('Next'))
  out.line('  ./runyard up                       the same stack, until you stop it, and the link to its page')
  out.line('  eval "$(./runyard env)"            in another shell: point your clients there')
  out.line('  python your_flash_script.py        your own script')
}
