// `nvidia-smi -q -x` text → typed report. Never throws: text that is cut off or is no XML becomes a failure value, and a field that a driver
// generation lacks becomes null. The document is taken from between its root tags, because nvidia-smi prints complaints around it.
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { findFaults, uncorrectableEccErrors } from './faults.ts'
import { bytes, child, children, firstOf, number, printed, text, type Node } from './fields.ts'
import type { MigDevice, NvidiaFabric, NvidiaFault, NvidiaGpu, NvidiaProcess, NvidiaSmiResult } from './report.ts'

const ROOT = 'nvidia_smi_log'
/** Boards whose memory is that of the machine. */
const UNIFIED_MEMORY = /\b(GB10|Orin|Thor)\b/

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  processEntities: true,
  isArray: (name) => name === 'gpu' || name === 'mig_device' || name === 'process_info',
})

/** Parses the output of `nvidia-smi -q -x`. Bytes, degrees Celsius, watts, percent; absent values are null. */
export function parseNvidiaSmi(output: string): NvidiaSmiResult {
  const start = output.indexOf(`<${ROOT}>`)
  const end = output.lastIndexOf(`</${ROOT}>`)
  if (start === -1) return failure(`nvidia-smi printed no report: ${firstLine(output)}`)
  if (end < start) return failure('the report of nvidia-smi is cut off')
  const document = output.slice(start, end + ROOT.length + 3)
  const valid = XMLValidator.validate(document)
  if (valid !== true) return failure(`the report of nvidia-smi is not well-formed: ${valid.err.msg}`)
  try {
    return toReport(child(parser.parse(document) as Node, ROOT), notesAround(output.slice(0, start), output.slice(end + ROOT.length + 3)))
  } catch (error) {
    return failure(`the report of nvidia-smi cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const failure = (message: string): NvidiaSmiResult => ({ kind: 'failure', message })

function toReport(log: Node, notes: readonly string[]): NvidiaSmiResult {
  const gpus = children(log, 'gpu').map(toGpu)
  const attachedGpus = number(log, 'attached_gpus')
  const cuda = firstOf(text, log, ['cuda_umd_version', 'cuda_version'])
  return {
    kind: 'report',
    // Driver 610 renames both; the old names end with CUDA 14.
    driverVersion: firstOf(text, log, ['kmd_version', 'driver_version']),
    cudaVersion: cuda !== null && /^\d+(\.\d+)*$/.test(cuda) ? cuda : null,
    attachedGpus,
    gpus,
    faults: hostFaults(log, (attachedGpus ?? 0) - gpus.length),
    duplicateUuids: duplicates(gpus.flatMap(({ uuid }) => uuid ?? [])),
    notes,
  }
}

function hostFaults(log: Node, missing: number): readonly NvidiaFault[] {
  const error = printed(log, 'error_string')
  const attached = number(log, 'attached_gpus')
  return [
    ...(missing > 0 ? [lost('attached_gpus', `${missing} of ${attached} attached GPUs ${missing === 1 ? 'does' : 'do'} not answer`)] : []),
    ...(error === undefined || error === '' ? [] : [lost('error_string', `nvidia-smi reports an error: ${error}`)]),
  ]
}

const lost = (sign: string, message: string): NvidiaFault => ({ kind: 'lost', sign, message })

function toGpu(gpu: Node, index: number): NvidiaGpu {
  const uuid = text(gpu, 'uuid')
  const recoveryAction = text(gpu, 'gpu_recovery_action')
  return {
    index,
    minorNumber: number(gpu, 'minor_number'),
    uuid: uuid?.startsWith('GPU-') === true ? uuid : null,
    pciBusId: firstOf(text, gpu, ['@id', 'pci/pci_bus_id']),
    productName: text(gpu, 'product_name'),
    ...memory(gpu),
    ...load(gpu),
    ...modes(gpu),
    recoveryAction,
    fabric: toFabric(gpu),
    migEnabled: text(gpu, 'mig_mode/current_mig') === 'Enabled',
    migPendingEnabled: onOff(gpu, 'mig_mode/pending_mig'),
    migDevices: children(child(gpu, 'mig_devices'), 'mig_device').map(toMigDevice),
    volatileUncorrectableEccErrors: uncorrectableEccErrors(child(child(gpu, 'ecc_errors'), 'volatile')),
    doubleBitRetiredPages: number(gpu, 'retired_pages/double_bit_retirement/retired_count'),
    processes: children(child(gpu, 'processes'), 'process_info').flatMap(toProcess),
    faults: findFaults(gpu),
  }
}

function memory(gpu: Node) {
  return {
    memoryTotalBytes: bytes(gpu, 'fb_memory_usage/total'),
    memoryReservedBytes: bytes(gpu, 'fb_memory_usage/reserved'),
    memoryUsedBytes: bytes(gpu, 'fb_memory_usage/used'),
    unifiedMemory: isUnified(gpu),
    addressingMode: text(gpu, 'addressing_mode'),
  }
}

/** GB10 prints N/A for all its memory; so does no other card that shares address tables with its machine. */
function isUnified(gpu: Node): boolean {
  if (printed(gpu, 'fb_memory_usage/total') !== 'N/A') return false
  return text(gpu, 'addressing_mode') === 'ATS' || UNIFIED_MEMORY.test(text(gpu, 'product_name') ?? '')
}

function load(gpu: Node) {
  return {
    temperatureC: number(gpu, 'temperature/gpu_temp'),
    powerDrawW: firstOf(number, gpu, [
      'gpu_power_readings/instant_power_draw',
      'gpu_power_readings/power_draw',
      'power_readings/power_draw',
    ]),
    powerLimitW: firstOf(number, gpu, ['gpu_power_readings/current_power_limit', 'power_readings/power_limit']),
    smClockMhz: number(gpu, 'clocks/sm_clock'),
    gpuUtilizationPercent: number(gpu, 'utilization/gpu_util'),
    memoryUtilizationPercent: number(gpu, 'utilization/memory_util'),
  }
}

function modes(gpu: Node) {
  return {
    performanceState: text(gpu, 'performance_state'),
    computeMode: text(gpu, 'compute_mode'),
    persistenceMode: onOff(gpu, 'persistence_mode'),
    // `None` is an answer here: no virtualization.
    virtualization:
      printed(gpu, 'gpu_virtualization_mode/virtualization_mode') === 'None'
        ? 'None'
        : text(gpu, 'gpu_virtualization_mode/virtualization_mode'),
  }
}

function onOff(gpu: Node, path: string): boolean | null {
  const value = text(gpu, path)
  return value === 'Enabled' || value === 'Disabled' ? value === 'Enabled' : null
}

function toFabric(gpu: Node): NvidiaFabric | null {
  const fabric = child(gpu, 'fabric')
  const state = text(fabric, 'state')
  if (state === null) return null
  return {
    state,
    status: text(fabric, 'status'),
    health: text(fabric, 'health/summary'),
    clusterUuid: text(fabric, 'clusterUuid'),
    cliqueId: text(fabric, 'cliqueId'),
  }
}

function toMigDevice(device: Node): MigDevice {
  return {
    index: number(device, 'index'),
    gpuInstanceId: number(device, 'gpu_instance_id'),
    computeInstanceId: number(device, 'compute_instance_id'),
    multiprocessors: number(device, 'device_attributes/shared/multiprocessor_count'),
    memoryTotalBytes: bytes(device, 'fb_memory_usage/total'),
    memoryUsedBytes: bytes(device, 'fb_memory_usage/used'),
    volatileUncorrectableEccErrors: number(device, 'ecc_error_count/volatile_count/sram_uncorrectable'),
    uuid: null,
    profile: null,
  }
}

function toProcess(info: Node): readonly NvidiaProcess[] {
  const pid = number(info, 'pid')
  if (pid === null) return []
  return [
    {
      pid,
      name: text(info, 'process_name'),
      type: text(info, 'type'),
      usedMemoryBytes: bytes(info, 'used_memory'),
      gpuInstanceId: number(info, 'gpu_instance_id'),
      computeInstanceId: number(info, 'compute_instance_id'),
    },
  ]
}

function duplicates(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, at) => values.indexOf(value) !== at))]
}

/** The complaints around the document, without XML declarations, comments and the DTD (`--dtd`), which may be hundreds of lines. */
function notesAround(before: string, after: string): readonly string[] {
  return withoutMarkup(`${before}\n${after}`)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

const withoutMarkup = (around: string): string =>
  around
    .replace(/<\?[^]*?\?>/g, '')
    .replace(/<!--[^]*?-->/g, '')
    .replace(/<!DOCTYPE[^[>]*(\[[^]*?\]\s*)?>/g, '')

const firstLine = (output: string): string => output.trim().split('\n')[0]?.trim().slice(0, 200) || 'nothing at all'
