// The whole stack, opened in order and closed in reverse: data directory, Redis, hosts, gateway, scaler. The children get everything by
// environment (`RUNYARD_*`), so that each can also be run by hand.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Progress } from '../output/progress.ts'
import type { Settings } from '../settings.ts'
import { openDataDir } from './data-dir.ts'
import { describeGpus } from './gpu-line.ts'
import { chooseHosts, hostSettings, type HostChoice } from './host-choice.ts'
import { claimPort } from './ports.ts'
import { findOtherInstalls } from './other-installs.ts'
import { describeScaler, partEnvironments, startParts, urlOf, type Parts, type ScalerNote } from './parts.ts'
import { openRedis, type OwnRedis } from './redis.ts'
import { provideRedis } from './redis-binary.ts'
import { claimPlane } from './worker-plane.ts'

export interface StackOptions {
  readonly settings: Settings
  readonly env: NodeJS.ProcessEnv
  readonly progress: Progress
  /** News while it runs, e.g. that a part died and is started again. */
  readonly onNews: (line: string) => void
  /** Ends the set-up early. */
  readonly signal: AbortSignal
  /** Kills what the set-up has started. */
  readonly kill?: AbortSignal | undefined
}

export interface Stack extends AsyncDisposable {
  readonly url: string
  readonly key: string
  readonly choice: HostChoice
  readonly config: Settings['config']
  /** Absolute. */
  readonly dataDir: string
  readonly logDir: string
  /** Rejects with one sentence when a part has ended for good. */
  readonly failed: Promise<never>
  /** Resolves when the scaler gives up and leaves workers running. */
  readonly undrained: Promise<undefined>
  /** What the workers are labelled with that are ours to end; undefined while another scaler leads. */
  instanceId(): string | undefined
  /** Kills every part without letting workers drain. */
  kill(): void
}

/** @throws RunyardError with one sentence; what was opened until then is closed. */
export async function openStack(options: StackOptions): Promise<Stack> {
  const { settings, env, progress, onNews, signal, kill } = options
  await using opening = new AsyncDisposableStack()
  const dataDir = opening.use(await openDataDir(settings.dataDir))
  const logDir = join(dataDir.path, 'logs')
  await mkdir(logDir, { recursive: true, mode: 0o700 })
  const { host, port } = settings.config.listen
  const listen = { host, port: await claimPort({ host, port, section: 'listen', mend: 'choose another with --port N' }) }
  const redis = await openOrFindRedis({ options, logDir, opening })
  signal.throwIfAborted()
  progress.begin('gpu').done(await describeGpus(settings.config))
  const choice = await chooseHosts({ config: settings.config, env, progress, signal })
  signal.throwIfAborted()
  const plane = await claimPlane(settings, { planeHost: choice.planeHost, say: (line) => progress.say(`             ${line}`) })
  const step = progress.begin('gateway')
  const envs = partEnvironments({ env, listen, plane, redis, dataDir, choice, origins: settings.origins })
  const parts = opening.use(await startParts({ envs, logDir, onNews, kill }))
  const url = urlOf(listen)
  await parts.untilReady(url, signal)
  await dataDir.writeNote({ pid: process.pid, url, startedAt: Date.now(), plane, configFile: settings.file })
  step.done(`${url}, workers reach it at ${urlOf(plane)}`)
  await tellScaler(parts, choice, options)
  const opened = opening.move()
  return {
    url,
    key: dataDir.key,
    choice,
    config: settings.config,
    dataDir: dataDir.path,
    logDir,
    failed: parts.failed,
    undrained: parts.undrained,
    instanceId: () => ledInstance(parts.scaler()),
    kill() {
      parts.kill()
      redis.child?.kill()
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function ledInstance(note: ScalerNote | undefined): string | undefined {
  return note?.leader === undefined ? note?.instanceId : undefined
}

async function tellScaler(parts: Parts, { hosts }: HostChoice, { progress, settings, env }: StackOptions): Promise<void> {
  const note = parts.scaler()
  if (note === undefined) return
  progress.begin('scaler').done(describeScaler(note))
  for (const { words, mend } of await findOtherInstalls(hosts, hostSettings({ config: settings.config, env }), note.instanceId))
    progress.say(`             also here: ${words}; ${mend}`)
}

interface RedisOptions {
  readonly options: StackOptions
  readonly logDir: string
  readonly opening: AsyncDisposableStack
}

async function openOrFindRedis({ options, logDir, opening }: RedisOptions): Promise<Pick<OwnRedis, 'url'> & Partial<OwnRedis>> {
  const { settings, env, progress, onNews, kill } = options
  const { url, appendfsync, maxMemoryBytes } = settings.config.redis
  const step = progress.begin('redis')
  if (url !== undefined) {
    step.done(`as configured by ${settings.origins['redis.url']}`)
    return { url }
  }
  const binary = await provideRedis({
    env,
    say: (line) => {
      step.note(line)
    },
  })
  const redis = opening.use(await openRedis({ binary, dataDir: settings.dataDir, logDir, appendfsync, maxMemoryBytes, kill }, onNews))
  step.done(binary.label)
  return redis
}
