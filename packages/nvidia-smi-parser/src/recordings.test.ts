// All recordings of real machines that lie beside the checkout (`../shared/gpu-recordings`): what the parser reads is what another reader of XML
// found there (facts.json). They are not part of this repository, so a clone without them says in its summary that this file was skipped.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseXid, toPciAddress } from './kernel.ts'
import { parseGpuList, withMigNames } from './names.ts'
import { parseNvidiaSmi } from './parse.ts'
import { isFit, type FaultKind, type NvidiaSmiReport } from './report.ts'
import { createReportStream } from './stream.ts'
import { parseTopology } from './topology.ts'

interface Facts {
  readonly file: string
  readonly expect?: 'failure'
  readonly driver: string | null
  readonly cuda: string | null
  readonly attachedGpus: number | null
  readonly hostHealth?: string
  readonly gpus: readonly GpuFacts[]
}
interface GpuFacts {
  readonly pciBusId: string
  readonly uuid: string
  readonly name: string
  readonly memoryTotalMiB: number | null
  readonly memoryUsedMiB: number | null
  readonly reservedMiB: number | null
  readonly migEnabled: boolean
  readonly migDevices: readonly {
    index: number
    gpuInstanceId: number
    computeInstanceId: number
    memoryTotalMiB: number
    multiprocessors: number
  }[]
  readonly processes: readonly { pid: number; type: string; usedMiB: number | null; gpuInstanceId?: number; computeInstanceId?: number }[]
  readonly health: string
}

const folder = new URL('../../../../shared/gpu-recordings/', import.meta.url)
const there = existsSync(folder)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
const facts = there ? (JSON.parse(read('facts.json')) as Facts[]) : []
const toMiB = (bytes: number | null): number | null => (bytes === null ? null : bytes / 2 ** 20)

function report(file: string): NvidiaSmiReport {
  const result = parseNvidiaSmi(read(file))
  if (result.kind === 'failure') throw new Error(result.message)
  return result
}

describe.skipIf(!there)('recordings of real machines (../shared/gpu-recordings)', () => {
  it('are as many as are described', () => {
    expect(facts.map(({ file }) => file).toSorted()).toEqual(
      readdirSync(new URL('xml/', folder))
        .map((name) => `xml/${name}`)
        .toSorted(),
    )
    expect(facts.length).toBeGreaterThan(40)
  })

  it.each(facts.filter((fact) => fact.expect !== 'failure'))('$file is read as it is', (fact) => {
    const { driverVersion, cudaVersion, attachedGpus, gpus, faults } = report(fact.file)
    expect({ driver: driverVersion, cuda: cudaVersion, attachedGpus }).toEqual({
      driver: fact.driver,
      cuda: fact.cuda,
      attachedGpus: fact.attachedGpus,
    })
    expect(gpus.map(toFacts)).toEqual(fact.gpus.map(asFacts))
    expect(gpus.map((gpu) => (isFit(gpu) ? 'healthy' : 'fault'))).toEqual(fact.gpus.map(({ health }) => health.split(':')[0]))
    expect(faults.length > 0).toBe((fact.attachedGpus ?? 0) > gpus.length)
  })

  it.each(facts.filter((fact) => fact.expect === 'failure'))('$file is a failure, not an empty machine', (fact) => {
    expect(parseNvidiaSmi(read(fact.file)).kind).toBe('failure')
  })

  it.each<[file: string, kinds: readonly (readonly FaultKind[])[]]>([
    ['rtx-3090-535-reset-required', [['reset', 'reset']]],
    ['a10-535-remap-pending', [['drain']]],
    ['gb200x2-580-mock-ecc', [['replace', 'reset'], []]],
    ['gb200x2-580-mock-lost', [['replace', 'reset'], ['lost']]],
    ['rubin-615-comments', [[]]],
    ['rtx-4090-535-idle', [[]]],
  ])('%s has faults of the kinds %j', (file, kinds) => {
    expect(report(`xml/${file}.xml`).gpus.map(({ faults }) => faults.map(({ kind }) => kind))).toEqual(kinds)
  })

  it('a card that the report leaves out is a fault of the machine', () => {
    expect(report('xml/h100-x8-580-one-handle-missing.xml').faults.map(({ message }) => message)).toEqual([
      '1 of 8 attached GPUs does not answer',
    ])
  })

  it('markup around the document leaves no notes', () => {
    expect(report('xml/tesla-p100x2-375-text-before-root.xml').notes).toEqual([])
    expect(report('xml/k520-352-with-dtd.xml').notes).toEqual([])
  })

  it('a card with the memory of its machine says so, and no other does', () => {
    const unified = facts
      .filter(({ expect: failure }) => failure === undefined)
      .filter(({ file }) => report(file).gpus.some((gpu) => gpu.unifiedMemory))
    expect(unified.map(({ file }) => file)).toEqual(['xml/gb10-580-unified-memory.xml'])
  })

  it('a stream of all of them, cut anywhere, gives each of them once', () => {
    const files = facts.filter((fact) => fact.expect !== 'failure').map(({ file }) => file)
    const text = files.map(read).join('\n')
    for (const size of [4096, 100_003]) {
      const stream = createReportStream()
      const results = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        stream.push(text.slice(at * size, (at + 1) * size)),
      ).flat()
      expect(results.map((result) => result.kind === 'report' && result.driverVersion)).toEqual(
        files.map((file) => report(file).driverVersion),
      )
      expect(stream.end()).toBeUndefined()
    }
  })

  it('kernel lines are attributed to card and process, and classed', () => {
    const lines = JSON.parse(read('txt/kernel-lines.json')) as {
      line: string
      pci: string
      xid: number
      pid: number | null
      name: string | null
      class: string
    }[]
    for (const { line, pci, xid, pid, name } of lines) {
      const event = parseXid(line)
      expect({ pci: event?.pciAddress, xid: event?.xid, pid: event?.pid, name: event?.processName }).toEqual({ pci, xid, pid, name })
    }
    const judged = lines.filter((line) => line.class !== 'recovery-action')
    expect(judged.map(({ line }) => parseXid(line)?.class)).toEqual(judged.map((line) => line.class.replace('host-reboot', 'reboot')))
    expect(lines.filter((line) => line.class === 'recovery-action').map(({ line }) => parseXid(line)?.class)).toEqual(['drain', 'reset'])
  })

  it('MIG slices get their names from the list of the same machine', () => {
    const [listed] = parseGpuList(read('txt/h100-590-mig.txt'))
    const [gpu] = report('xml/h100-590-mig-4-processes.xml').gpus
    if (listed === undefined || gpu === undefined) throw new Error('no card')
    const named = withMigNames({ ...gpu, uuid: listed.uuid }, [listed])
    expect(named.migDevices.map(({ index, profile }) => [index, profile])).toEqual([
      [0, '3g.40gb'],
      [1, '2g.20gb'],
      [2, '1g.10gb'],
      [3, '1g.10gb'],
    ])
    expect(named.migDevices.every(({ uuid }) => uuid?.startsWith('MIG-') === true)).toBe(true)
  })

  it.each([
    ['topo-a6000-x3-bridge', 3, { '0-1': 'NV4', '0-2': 'NODE0', '1-2': 'NODE0' }],
    ['topo-3090-x2-nvlink', 2, { '0-1': 'NV4' }],
    ['topo-1080ti-x2-phb', 2, { '0-1': 'PHB0' }],
    ['topo-h100-x8-nvswitch', 8, { '0-7': 'NV18', '3-4': 'NV18' }],
  ])('%s connects %i cards', (file, cards, some) => {
    const links = parseTopology(read(`txt/${file}.txt`))
    expect(links).toHaveLength(cards * (cards - 1))
    const named = Object.fromEntries(links.map(({ from, to, kind, links: count }) => [`${from}-${to}`, `${kind}${count}`]))
    expect(named).toMatchObject(some)
  })

  it('an address of the kernel log and one of a report name the same card', () => {
    expect(toPciAddress('00000000:9B:00.0')).toBe(parseXid('NVRM: Xid (PCI:0000:9b:00): 119, pid=1, x')?.pciAddress)
  })
})

type Parsed = NvidiaSmiReport['gpus'][number]

function toFacts(gpu: Parsed) {
  return {
    pciBusId: gpu.pciBusId,
    uuid: gpu.uuid,
    name: gpu.productName,
    memoryTotalMiB: toMiB(gpu.memoryTotalBytes),
    memoryUsedMiB: toMiB(gpu.memoryUsedBytes),
    reservedMiB: toMiB(gpu.memoryReservedBytes),
    migEnabled: gpu.migEnabled,
    migDevices: gpu.migDevices.map(({ index, gpuInstanceId, computeInstanceId, memoryTotalBytes, multiprocessors }) => ({
      index,
      gpuInstanceId,
      computeInstanceId,
      memoryTotalMiB: toMiB(memoryTotalBytes),
      multiprocessors,
    })),
    processes: gpu.processes.map(({ pid, type, usedMemoryBytes, gpuInstanceId, computeInstanceId }) => ({
      pid,
      type,
      usedMiB: toMiB(usedMemoryBytes),
      ...(gpuInstanceId === null ? {} : { gpuInstanceId, computeInstanceId }),
    })),
  }
}

/** The same fields of a fact: without the verdict, and without the profiles, which are in no report. */
const asFacts = (gpu: GpuFacts) => ({
  pciBusId: gpu.pciBusId,
  uuid: gpu.uuid,
  name: gpu.name,
  memoryTotalMiB: gpu.memoryTotalMiB,
  memoryUsedMiB: gpu.memoryUsedMiB,
  reservedMiB: gpu.reservedMiB,
  migEnabled: gpu.migEnabled,
  migDevices: gpu.migDevices.map(({ index, gpuInstanceId, computeInstanceId, memoryTotalMiB, multiprocessors }) => ({
    index,
    gpuInstanceId,
    computeInstanceId,
    memoryTotalMiB,
    multiprocessors,
  })),
  processes: gpu.processes,
})
