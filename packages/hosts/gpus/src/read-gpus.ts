// What a report of nvidia-smi says about a host's GPUs, in the words of the host port. A card with a fault stays listed, as unhealthy. A card that is divided by
// MIG is its slices. Cards that share a uuid cannot be distinguished, so none of them is used.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isFit, parseGpuList, parseNvidiaSmi, type ListedGpu, type NvidiaGpu, type NvidiaSmiReport } from '@runyard/nvidia-smi-parser'
import { systemCode, type CardLoad, type CardUse, type Gpu } from '@runyard/schema'
import { slicesOf, type Slice } from './mig.ts'

export interface GpuInventory {
  readonly gpus: readonly Gpu[]
  readonly cudaVersion: string | null
  /** By uuid. */
  readonly uses: Readonly<Record<string, CardUse>>
  /** Sentences for the log: why there are fewer cards than one may expect. */
  readonly warnings: readonly string[]
}

/** Runs a command and gives its standard output; undefined when it does not exist. */
export type RunCommand = (file: string, args: readonly string[]) => Promise<string | undefined>

const NVIDIA_SMI_TIMEOUT_MS = 20_000
const MAX_OUTPUT_BYTES = 16 * 2 ** 20

export const NO_CARDS: GpuInventory = { gpus: [], uses: {}, cudaVersion: null, warnings: [] }

/** One look, for commands of the operator. No nvidia-smi means no cards; one that fails means none, with a warning that says why. */
export async function readGpuInventory(run: RunCommand = runLocally): Promise<GpuInventory> {
  const output = await run('nvidia-smi', ['-q', '-x'])
  if (output === undefined) return NO_CARDS
  const report = parseNvidiaSmi(output)
  if (report.kind === 'failure') return { ...NO_CARDS, warnings: [report.message] }
  return toInventory(report, report.gpus.some(({ migEnabled }) => migEnabled) ? await readGpuList(run) : [])
}

/** `nvidia-smi -L`, which alone names slices. */
export async function readGpuList(run: RunCommand): Promise<readonly ListedGpu[]> {
  return parseGpuList((await run('nvidia-smi', ['-L'])) ?? '')
}

export function toInventory(report: NvidiaSmiReport, list: readonly ListedGpu[]): GpuInventory {
  const cards = report.gpus.flatMap((gpu) => toCards(gpu, list))
  const twice = new Set(report.duplicateUuids)
  const fault = 'several GPUs of the host carry this UUID'
  const unique = new Map(cards.map(({ gpu }) => [gpu.uuid, twice.has(gpu.uuid) ? { ...gpu, healthy: false, fault } : gpu]))
  const unnamed = report.gpus.filter((gpu) => gpu.uuid === null).map((gpu) => `the card at ${gpu.pciBusId}: ${sentences(gpu)}`)
  return {
    gpus: [...unique.values()],
    uses: Object.fromEntries(cards.flatMap(({ gpu, use }) => (use === undefined ? [] : [[gpu.uuid, use]]))),
    cudaVersion: report.cudaVersion,
    warnings: [...report.notes, ...report.faults.map(({ message }) => message), ...unnamed],
  }
}

type Card = Pick<Slice, 'gpu'> & Partial<Pick<Slice, 'use'>>

function toCards(gpu: NvidiaGpu, list: readonly ListedGpu[]): readonly Card[] {
  const { uuid, faults } = gpu
  if (uuid === null) return []
  const [worst] = faults
  const facts = {
    simulated: false,
    healthy: isFit(gpu),
    ...(isForOneProcess(gpu) ? { oneProcess: true } : {}),
    ...(worst === undefined ? {} : { fault: sentences(gpu), faultKind: worst.kind }),
  }
  const whole = { ...facts, uuid, name: gpu.productName ?? 'unknown', memoryBytes: gpu.memoryTotalBytes ?? 0 }
  if (!gpu.migEnabled) return [{ gpu: whole, use: { ...toUse(gpu, gpu.processes, gpu.memoryUsedBytes), load: toLoad(gpu) } }]
  const slices = slicesOf(gpu, list, { facts, toUse: (processes, usedBytes) => toUse(gpu, processes, usedBytes) })
  if (slices.length > 0) return slices
  const empty =
    gpu.migDevices.length === 0 ? 'MIG mode is on, and it has no slices' : 'MIG mode is on, and the names of its slices are not known yet'
  return [{ gpu: { ...whole, healthy: false, fault: [empty, ...(worst === undefined ? [] : [sentences(gpu)])].join('; ') } }]
}

/** `Exclusive_Process`, and `Exclusive_Thread` of old drivers. */
const isForOneProcess = ({ computeMode }: NvidiaGpu): boolean => computeMode?.startsWith('Exclusive') === true

/** The MPS server stays between its clients. */
const STAYS = /(^|\/)nvidia-cuda-mps-server$/

/** Memory proves nothing where it is the machine's own, or where the driver keeps it after the end of a process (Grace). */
function toUse(gpu: NvidiaGpu, processes: NvidiaGpu['processes'], memoryUsedBytes: number | null): CardUse {
  const isCompute = (type: string | null): boolean => type === null || /[CM]/.test(type)
  const desktop = processes.filter(({ type }) => !isCompute(type)).reduce((sum, { usedMemoryBytes }) => sum + (usedMemoryBytes ?? 0), 0)
  const compute = processes.filter(({ type, name }) => isCompute(type) && !STAYS.test(name ?? ''))
  return {
    usedBytes: memoryUsedBytes === null ? null : Math.max(0, memoryUsedBytes - desktop),
    isMemoryProof: !gpu.unifiedMemory && gpu.addressingMode !== 'ATS' && memoryUsedBytes !== null,
    processes: compute.map(({ pid, name }) => ({ pid, name: name ?? 'a process' })),
  }
}

function toLoad(gpu: NvidiaGpu): CardLoad {
  const { gpuUtilizationPercent, temperatureC, powerDrawW, powerLimitW, volatileUncorrectableEccErrors: eccErrors } = gpu
  const utilization = gpuUtilizationPercent === null ? null : gpuUtilizationPercent / 100
  return { utilization, temperatureC, powerW: powerDrawW, powerLimitW, eccErrors }
}

const sentences = (gpu: NvidiaGpu): string => gpu.faults.map(({ message }) => message).join('; ')

export async function runLocally(file: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (
      await promisify(execFile)(file, [...args], { timeout: NVIDIA_SMI_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES })
    ).stdout
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    // A failing nvidia-smi explains itself on stdout; a hanging one is killed by the timeout and says nothing.
    return error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : ''
  }
}
