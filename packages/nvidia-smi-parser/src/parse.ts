// Parses `nvidia-smi -q -x` into a typed report. Never throws: truncated text or invalid XML becomes a failure value, and a field that a driver
// generation lacks becomes null. Only the text between the root tags is parsed, because nvidia-smi prints messages around it.
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { findFaults, uncorrectableEccErrors } from './faults.ts'
import { bytes, child, children, integer, text } from './fields.ts'
import type { Node } from './fields.ts'
import type { MigDevice, NvidiaGpu, NvidiaProcess, NvidiaSmiResult } from './report.ts'

const ROOT = 'nvidia_smi_log'

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  processEntities: true,
  isArray: (name) => name === 'gpu' || name === 'mig_device' || name === 'process_info',
})

/** Parses the output of `nvidia-smi -q -x`. Bytes, degrees Celsius, percent; absent values are null. */
export function parseNvidiaSmi(output: string): NvidiaSmiResult {
  const start = output.indexOf(`<${ROOT}`)
  const end = output.lastIndexOf(`</${ROOT}>`)
  if (start === -1) return { kind: 'failure', message: `nvidia-smi printed no report: ${firstLine(output)}` }
  if (end < start) return { kind: 'failure', message: 'the report of nvidia-smi is cut off' }
  const document = output.slice(start, end + ROOT.length + 3)
  const valid = XMLValidator.validate(document)
  if (valid !== true) return { kind: 'failure', message: `the report of nvidia-smi is not well-formed: ${valid.err.msg}` }
  try {
    return toReport(child(parser.parse(document) as Node, ROOT), notesAround(output.slice(0, start), output.slice(end + ROOT.length + 3)))
  } catch (error) {
    return {
      kind: 'failure',
      message: `the report of nvidia-smi cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
}

function toReport(log: Node, notes: readonly string[]): NvidiaSmiResult {
  return {
    kind: 'report',
    driverVersion: text(log, 'driver_version'),
    cudaVersion: text(log, 'cuda_version'),
    gpus: children(log, 'gpu').map(toGpu),
    notes,
  }
}

function toGpu(gpu: Node): NvidiaGpu {
  const uuid = text(gpu, 'uuid')
  const memory = child(gpu, 'fb_memory_usage')
  return {
    uuid: uuid?.startsWith('GPU-') === true ? uuid : null,
    pciBusId: text(gpu, '@id') ?? text(child(gpu, 'pci'), 'pci_bus_id'),
    productName: text(gpu, 'product_name'),
    memoryTotalBytes: bytes(memory, 'total'),
    memoryUsedBytes: bytes(memory, 'used'),
    temperatureC: integer(child(gpu, 'temperature'), 'gpu_temp'),
    gpuUtilizationPercent: integer(child(gpu, 'utilization'), 'gpu_util'),
    migEnabled: text(child(gpu, 'mig_mode'), 'current_mig') === 'Enabled',
    migDevices: children(child(gpu, 'mig_devices'), 'mig_device').map(toMigDevice),
    volatileUncorrectableEccErrors: uncorrectableEccErrors(child(child(gpu, 'ecc_errors'), 'volatile')),
    doubleBitRetiredPages: integer(child(child(gpu, 'retired_pages'), 'double_bit_retirement'), 'retired_count'),
    processes: children(child(gpu, 'processes'), 'process_info').flatMap(toProcess),
    faults: findFaults(gpu),
  }
}

function toMigDevice(device: Node): MigDevice {
  const memory = child(device, 'fb_memory_usage')
  return {
    index: integer(device, 'index'),
    gpuInstanceId: integer(device, 'gpu_instance_id'),
    computeInstanceId: integer(device, 'compute_instance_id'),
    memoryTotalBytes: bytes(memory, 'total'),
    memoryUsedBytes: bytes(memory, 'used'),
  }
}

function toProcess(info: Node): readonly NvidiaProcess[] {
  const pid = integer(info, 'pid')
  if (pid === null) return []
  return [{ pid, name: text(info, 'process_name'), type: text(info, 'type'), usedMemoryBytes: bytes(info, 'used_memory') }]
}

function notesAround(before: string, after: string): readonly string[] {
  return `${before}\n${after}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('<?xml') && !line.startsWith('<!DOCTYPE'))
}

const firstLine = (output: string): string => output.trim().split('\n')[0]?.trim().slice(0, 200) || 'nothing at all'
