import { readFileSync, readdirSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNvidiaSmi } from './parse.ts'
import { isFit, type NvidiaSmiReport } from './report.ts'

const MIB = 2 ** 20
const folder = new URL('../fixtures/', import.meta.url)
const fixture = (name: string): string => readFileSync(new URL(name, folder), 'utf8')

function report(name: string): NvidiaSmiReport {
  const result = parseNvidiaSmi(fixture(name))
  if (result.kind === 'failure') throw new Error(result.message)
  return result
}

describe('parseNvidiaSmi', () => {
  it('reads several GPUs with memory, temperature and processes', () => {
    const { driverVersion, cudaVersion, gpus, notes } = report('two-geforce-550.xml')
    expect({ driverVersion, cudaVersion, notes, count: gpus.length }).toEqual({
      driverVersion: '550.54.15',
      cudaVersion: '12.4',
      notes: [],
      count: 2,
    })
    expect(gpus[0]).toEqual({
      index: 0,
      minorNumber: 0,
      uuid: 'GPU-2b1f6b9e-0c53-4f0e-9d43-5a7d8c1e4f10',
      pciBusId: '00000000:01:00.0',
      productName: 'NVIDIA GeForce RTX 4090',
      memoryTotalBytes: 24_564 * MIB,
      memoryReservedBytes: 370 * MIB,
      memoryUsedBytes: 18_432 * MIB,
      unifiedMemory: false,
      addressingMode: null,
      temperatureC: 61,
      powerDrawW: 22.51,
      powerLimitW: 450,
      smClockMhz: null,
      gpuUtilizationPercent: 7,
      memoryUtilizationPercent: 0,
      performanceState: 'P2',
      computeMode: 'Default',
      persistenceMode: true,
      virtualization: 'None',
      recoveryAction: null,
      fabric: null,
      migEnabled: false,
      migPendingEnabled: null,
      migDevices: [],
      volatileUncorrectableEccErrors: null,
      doubleBitRetiredPages: null,
      processes: [
        { pid: 4711, name: '/usr/bin/python3', type: 'C', usedMemoryBytes: 18_040 * MIB, gpuInstanceId: null, computeInstanceId: null },
        { pid: 1893, name: '/usr/lib/xorg/Xorg & co', type: 'G', usedMemoryBytes: 4 * MIB, gpuInstanceId: null, computeInstanceId: null },
      ],
      faults: [],
    })
  })

  it('reads MIG instances, with null for values that they do not report', () => {
    const [gpu] = report('mig-a100-535.xml').gpus
    expect(gpu?.migEnabled).toBe(true)
    expect(gpu?.migDevices).toEqual([
      expect.objectContaining({
        index: 0,
        gpuInstanceId: 1,
        computeInstanceId: 0,
        memoryTotalBytes: 40_192 * MIB,
        memoryUsedBytes: 37 * MIB,
      }),
      expect.objectContaining({ index: 1, gpuInstanceId: 5, computeInstanceId: 0, memoryTotalBytes: 19_968 * MIB, memoryUsedBytes: null }),
    ])
    expect(gpu?.volatileUncorrectableEccErrors).toBe(0)
    expect(gpu?.faults).toEqual([])
  })

  it('reports every fault of a broken GPU and none of its healthy neighbour', () => {
    const { gpus, notes } = report('faulty-h100-570.xml')
    expect(notes).toEqual(['Unable to determine the device handle for GPU7: 0000:DB:00.0: Unknown Error'])
    expect(gpus.map(({ faults }) => faults.map(({ kind, message }) => `${kind}: ${message}`))).toEqual([
      [],
      [
        'replace: too many uncorrectable SRAM errors; the card needs replacement',
        'replace: a faulty memory row could not be remapped; the card needs replacement',
        'reset: the driver asks for a recovery action: Reset',
        'reset: 3 uncorrectable memory error(s) since the driver was loaded',
        'drain: a memory row waits to be remapped; reset the card when it is free',
      ],
      ['lost: the card does not answer the driver ("GPU is lost")'],
      ['reset: the card does not answer the driver ("[Unknown Error]")'],
    ])
    expect(gpus.map(isFit)).toEqual([true, false, false, false])
    expect(gpus.map((gpu) => gpu.uuid)[2]).toBeNull()
  })

  it('reads the format before Ampere: double-bit errors and retired pages, of which only pending ones are a fault', () => {
    const { gpus } = report('tesla-450.xml')
    expect(
      gpus.map((gpu) => [gpu.volatileUncorrectableEccErrors, gpu.doubleBitRetiredPages, gpu.faults.map(({ message }) => message)]),
    ).toEqual([
      [0, 2, []],
      [0, 2, ['a memory page waits for retirement; the card needs a reset']],
    ])
  })

  it('reads a report without GPUs', () => {
    expect(report('no-cards-550.xml').gpus).toEqual([])
  })

  it('returns the output of nvidia-smi if it contains no report', () => {
    const message = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    expect(parseNvidiaSmi(`${message}\nMake sure…`)).toEqual({ kind: 'failure', message: `nvidia-smi printed no report: ${message}` })
    expect(parseNvidiaSmi('')).toEqual({ kind: 'failure', message: 'nvidia-smi printed no report: nothing at all' })
  })

  it('never throws on truncated input: it returns a failure', () => {
    const texts = readdirSync(folder).map((name) => fixture(name).trimEnd())
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.double({ min: 0, max: 1, noNaN: true }), (text, part) => {
        expect(parseNvidiaSmi(text.slice(0, Math.floor(part * (text.length - 1)))).kind).toBe('failure')
      }),
      { numRuns: 300 },
    )
  })

  it('never throws on damaged input: it returns a value in which every GPU is well-formed', () => {
    const text = fixture('two-geforce-550.xml')
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 12 }), (at, length, junk) => {
        const result = parseNvidiaSmi(text.slice(0, at) + junk + text.slice(at + length))
        expect(result.kind === 'failure' || result.gpus.every((gpu) => Array.isArray(gpu.processes))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
