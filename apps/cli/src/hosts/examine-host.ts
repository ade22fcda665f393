// Examines and prepares one host for the operator, with progress: the engine, the agent and the default image, GPUs, the way to the worker plane.
import { twinOf } from '@runyard/core'
import { openHost } from '@runyard/hosts'
import { sentenceOf } from '@runyard/kit'
import { RunyardError, type HostConfig, type HostDriver, type HostFinding } from '@runyard/schema'
import type { Progress, Step } from '../output/progress.ts'
import type { Settings } from '../settings.ts'
import { hostSettings } from '../stack/host-choice.ts'
import type { Listener } from '../stack/parts.ts'

export interface HostExamination {
  readonly settings: Pick<Settings, 'config'>
  readonly env: NodeJS.ProcessEnv
  /** Where the running stack listens for workers; undefined: none runs. */
  readonly plane: Listener | undefined
  readonly progress: Progress
}

/** Stops at the first part without which the others mean nothing. Never rejects for what is wrong with the host. */
export async function examineHost(host: HostConfig, examination: HostExamination): Promise<readonly HostFinding[]> {
  const { settings, env, plane, progress } = examination
  const config = { ...settings.config, workerPlane: { ...settings.config.workerPlane, ...plane } }
  await using driver = openHost(host, hostSettings({ config, env }))
  const probe = await inStep(
    progress.begin('engine'),
    () => driver.probe(),
    ({ kind }) => kind === 'ok',
  )
  if (probe.kind === 'failed') return [missing('engine', probe.message)]
  const engine: HostFinding = { subject: 'engine', verdict: 'ok', words: probe.words }
  const twin = await twinAmong(config.hosts ?? [], { host, driver, settings: hostSettings({ config, env }) })
  if (twin !== undefined) return [engine, missing('identity', twinOf(twin))]
  const prepared = await prepare(driver, progress)
  const examine = () =>
    driver.examine(config.defaultImage, Object.values(config.runtimes)).catch((error: unknown) => [missing('engine', sentenceOf(error))])
  const examined = await inStep(progress.begin('examine'), examine, (findings) => findings.every(isThere))
  return [engine, prepared, ...examined, ...(prepared.verdict === 'ok' ? [await provePlane(driver, examination)] : [])]
}

interface Newcomer {
  readonly host: HostConfig
  readonly driver: HostDriver
  readonly settings: ReturnType<typeof hostSettings>
}

/** The host that has its identity. One that does not answer now is not known to have it. */
export async function twinAmong(hosts: readonly HostConfig[], { host, driver, settings }: Newcomer): Promise<string | undefined> {
  const identity = await driver.identify()
  const others = hosts.filter(({ id, kind }) => id !== host.id && kind === host.kind)
  const twins = await Promise.all(
    others.map(async (other) => {
      await using beside = openHost(other, settings)
      const answers = (await beside.probe()).kind === 'ok'
      return answers && (await beside.identify().catch(() => undefined)) === identity ? [other.id] : []
    }),
  )
  return twins.flat()[0]
}

async function prepare(driver: HostDriver, progress: Progress): Promise<HostFinding> {
  const step = progress.begin('prepare')
  try {
    const { words } = await driver.prepare({ onProgress: (line) => step.note(line), signal: new AbortController().signal })
    step.done('done')
    return { subject: 'agent', verdict: 'ok', words }
  } catch (error) {
    if (!(error instanceof RunyardError)) throw error
    step.done('failed')
    return missing('agent', error.message)
  }
}

async function provePlane(driver: HostDriver, { plane, progress }: HostExamination): Promise<HostFinding> {
  if (plane === undefined) {
    const words = 'not tried, because no Runyard runs: whether workers reach it shows when one starts'
    return { subject: 'worker plane', verdict: 'note', words, mend: './runyard up, then add the host' }
  }
  return inStep(progress.begin('plane'), () => driver.provePlane(), isThere)
}

async function inStep<T>(step: Step, work: () => Promise<T>, isGood: (result: T) => boolean): Promise<T> {
  const result = await work()
  step.done(isGood(result) ? 'done' : 'failed')
  return result
}

const isThere = ({ verdict }: HostFinding): boolean => verdict !== 'missing'

/** `One sentence: what mends it.` */
function missing(subject: string, sentence: string): HostFinding {
  return { subject, verdict: 'missing', words: sentence }
}
