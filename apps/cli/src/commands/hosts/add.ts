// `runyard hosts add`: examines a host, prepares it, proves that its workers reach the worker plane, and writes it into the file that the scaler follows.
// What is missing is one sentence with what mends it; then nothing is written.
import { resolve } from 'node:path'
import { findDefaultHost } from '@runyard/hosts'
import { addHosts } from '@runyard/kit'
import { HostConfig, placeOf, quoted, RunyardError, type HostFinding } from '@runyard/schema'
import { listOption, textOption, UsageError, type CommandContext } from '../../command.ts'
import { examineHost } from '../../hosts/examine-host.ts'
import { loadHostSettings, refuseVariable, type HostSettings } from '../../hosts/pool.ts'
import { readNumber, whole } from '../../number-option.ts'
import { onlyNewWord } from '../../only-word.ts'
import { renderFindings } from '../../output/findings.ts'
import { printJson } from '../../output/print-json.ts'
import { createProgress } from '../../output/progress.ts'
import { readRunning } from '../../stack/data-dir.ts'

const MOST_WORKERS = 100_000

export async function add(context: CommandContext): Promise<number> {
  const { out, err, options } = context
  const written = readHost(context)
  const host = parseHost(written)
  const settings = await loadHostSettings(context)
  refuseVariable(settings)
  const first = settings.config.hosts === undefined ? await defaultBeside(host) : []
  refuseTaken(host, [...(settings.config.hosts ?? []), ...first])
  const isJson = options['json'] === true
  const running = await readRunning(settings.dataDir)
  const findings = await examineHost(host, {
    settings,
    env: context.env,
    plane: running?.plane,
    progress: createProgress(isJson ? err : out),
  })
  const lacking = findings.filter(({ verdict }) => verdict === 'missing')
  const isAdded = lacking.length === 0 || options['force'] === true
  if (isAdded) await addHosts(settings.file, [...first.map(toWritten), { ...written, id: host.id }])
  if (isJson) printJson(out, { name: host.id, added: isAdded, file: settings.file, findings })
  else printOutcome(context, { host, findings, settings, isAdded, first })
  return isAdded ? 0 : 1
}

interface Outcome {
  readonly host: HostConfig
  readonly findings: readonly HostFinding[]
  readonly settings: HostSettings
  readonly isAdded: boolean
  readonly first: readonly HostConfig[]
}

function printOutcome({ out }: CommandContext, { host, findings, settings, isAdded, first }: Outcome): void {
  for (const line of renderFindings(findings, out)) out.line(line)
  out.line()
  if (!isAdded) return out.line(`${host.id} is not added: mend what is missing, or add it with --force`)
  for (const { id } of first) out.line(`${id}, which was used without being configured, is written down, too`)
  out.line(`${host.id} is in ${settings.file}; a running Runyard takes it up within seconds`)
}

/** As the operator would write it. @throws UsageError */
function readHost(context: CommandContext): Record<string, unknown> {
  const where = onlyNewWord(context, { usage: 'hosts add URL|process', what: 'address of an engine, such as ssh://gpu-box' })
  const name = textOption(context, 'name')
  // The scaler may run in another directory.
  const [ca, cert, key] = ['tls-ca', 'tls-cert', 'tls-key'].map((option) => absolute(textOption(context, option), context))
  const workers = readNumber(context, 'workers', whole({ min: 0, max: MOST_WORKERS }))
  const reserved = textOption(context, 'reserve-gpus')
  const labels = Object.fromEntries(listOption(context, 'label').map(readLabel))
  return withoutUndefined({
    ...(where === 'process' ? { kind: 'process' } : { engine: where }),
    id: name,
    planeUrl: textOption(context, 'plane-url'),
    forwardPlane: context.options['forward-plane'] === true ? true : undefined,
    tls: ca === undefined && cert === undefined && key === undefined ? undefined : withoutUndefined({ ca, cert, key }),
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    limits: workers === undefined ? undefined : { workers },
    reserve: reserved === undefined ? undefined : { gpus: /^\d+$/.test(reserved) ? Number(reserved) : reserved.split(',') },
    simulatedGpus: textOption(context, 'simulated-gpus'),
  })
}

const absolute = (path: string | undefined, { cwd }: CommandContext) => (path === undefined ? undefined : resolve(cwd, path))

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function readLabel(text: string): readonly [string, string] {
  const [, name, value] = /^([\w.-]+)=(.*)$/su.exec(text) ?? []
  if (name === undefined || value === undefined) throw new UsageError(`--label takes NAME=TEXT; ${quoted(text)} is none.`)
  return [name, value]
}

/** @throws UsageError with the schema's sentence. */
function parseHost(written: Record<string, unknown>): HostConfig {
  const parsed = HostConfig.safeParse(written)
  if (parsed.success) return parsed.data
  throw new UsageError(`${parsed.error.issues[0]?.message ?? 'this is no host'}.`)
}

/** Without hosts in the file, the host that is used by default would vanish with the first one that is added. */
async function defaultBeside(host: HostConfig): Promise<readonly HostConfig[]> {
  const found = await findDefaultHost()
  return placeOf(found) === placeOf(host) ? [] : [found]
}

const toWritten = (host: HostConfig): object =>
  host.kind === 'process' ? { kind: host.kind, id: host.id } : { engine: placeOf(host), id: host.id }

function refuseTaken(host: HostConfig, hosts: readonly HostConfig[]): void {
  const place = hosts.find((other) => placeOf(other) === placeOf(host))
  if (place !== undefined) throw new RunyardError('conflict', `${placeOf(host)} is a host already, under the name "${place.id}".`)
  if (hosts.some(({ id }) => id === host.id))
    throw new RunyardError('conflict', `there is a host "${host.id}" already; choose another with --name.`)
}
