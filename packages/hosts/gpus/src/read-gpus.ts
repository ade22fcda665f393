// The NVIDIA cards of the machine that we run on, for every kind of host. No nvidia-smi means no cards; one that fails means no cards
// either, with a warning that says why, so that CPU work goes on. A card with a fault stays listed, as unhealthy.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isFit, parseNvidiaSmi } from '@runyard/nvidia-smi-parser'
import type { NvidiaGpu } from '@runyard/nvidia-smi-parser'
import type { CardUse, Gpu } from '@runyard/schema'

export interface GpuInventory {
  readonly gpus: readonly Gpu[]
  readonly cudaVersion: string | null
  /** By uuid; without cards that are divided into slices, which share their numbers. */
  readonly uses: Readonly<Record<string, CardUse>>
  /** True: nvidia-smi is there and gave no report, so the list says nothing. */
  readonly hasFailed: boolean
  /** False: there is no nvidia-smi. */
  readonly isThere: boolean
  /** Sentences for the log: why there are fewer cards than one may expect. */
  readonly warnings: readonly string[]
}

/** Runs a command and gives its standard output; undefined when it does not exist. */
export type RunCommand = (file: string, args: readonly string[]) => Promise<string | undefined>

const NVIDIA_SMI_TIMEOUT_MS = 20_000
const MAX_OUTPUT_BYTES = 16 * 2 ** 20

export async function readGpuInventory(run: RunCommand = runLocally): Promise<GpuInventory> {
  const output = await run('nvidia-smi', ['-q', '-x'])
  if (output === undefined) return { gpus: [], uses: {}, cudaVersion: null, hasFailed: false, isThere: false, warnings: [] }
  const report = parseNvidiaSmi(output)
  if (report.kind === 'failure')
    return { gpus: [], uses: {}, cudaVersion: null, hasFailed: true, isThere: true, warnings: [report.message] }
  const unnamed = report.gpus.filter((gpu) => gpu.uuid === null).map((gpu) => `the card at ${gpu.pciBusId}: ${sentences(gpu)}`)
  const missing = report.faults.map(({ message }) => message)
  const warnings = [...report.notes, ...missing, ...unnamed]
  const uses = Object.fromEntries(report.gpus.flatMap((gpu) => (gpu.uuid === null || gpu.migEnabled ? [] : [[gpu.uuid, toUse(gpu)]])))
  return { gpus: report.gpus.flatMap(toGpu), uses, cudaVersion: report.cudaVersion, hasFailed: false, isThere: true, warnings }
}

function toGpu(gpu: NvidiaGpu): readonly Gpu[] {
  if (gpu.uuid === null) return []
  const [worst] = gpu.faults
  const facts = {
    uuid: gpu.uuid,
    name: gpu.productName ?? 'unknown',
    memoryBytes: gpu.memoryTotalBytes ?? 0,
    simulated: false,
    healthy: isFit(gpu) && !gpu.migEnabled,
    ...(worst === undefined ? {} : { fault: sentences(gpu), faultKind: worst.kind }),
  }
  if (!gpu.migEnabled) return [facts]
  return [
    {
      ...facts,
      fault: ['MIG mode is on, and a worker gets whole cards only', ...(worst === undefined ? [] : [sentences(gpu)])].join('; '),
    },
  ]
}

/** The MPS server stays between its clients. */
const STAYS = /(^|\/)nvidia-cuda-mps-server$/

/** Memory proves nothing where it is the machine's own, or where the driver keeps it after the end of a process (Grace). */
function toUse(gpu: NvidiaGpu): CardUse {
  const isCompute = (type: string | null): boolean => type === null || /[CM]/.test(type)
  const desktop = gpu.processes.filter(({ type }) => !isCompute(type)).reduce((sum, { usedMemoryBytes }) => sum + (usedMemoryBytes ?? 0), 0)
  const compute = gpu.processes.filter(({ type, name }) => isCompute(type) && !STAYS.test(name ?? ''))
  return {
    usedBytes: gpu.memoryUsedBytes === null ? null : Math.max(0, gpu.memoryUsedBytes - desktop),
    isMemoryProof: !gpu.unifiedMemory && gpu.addressingMode !== 'ATS' && gpu.memoryUsedBytes !== null,
    processes: compute.map(({ pid, name }) => ({ pid, name: name ?? 'a process' })),
  }
}

const sentences = (gpu: NvidiaGpu): string => gpu.faults.map(({ message }) => message).join('; ')

export async function runLocally(file: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (
      await promisify(execFile)(file, [...args], { timeout: NVIDIA_SMI_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES })
    ).stdout
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    // A failing nvidia-smi explains itself on stdout; a hanging one is killed by the timeout and says nothing.
    return error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' ? error.stdout : ''
  }
}
