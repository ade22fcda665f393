// The other outputs of nvidia-smi and the kernel: lists, matrices, Xid lines, and reports one after another on a pipe.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseXid, toPciAddress } from './kernel.ts'
import { parseGpuList, toModelName } from './names.ts'
import { createReportStream } from './stream.ts'
import { linkScore, parseTopology } from './topology.ts'

describe('parseGpuList', () => {
  it('reads cards and their slices, and skips what is neither', () => {
    const list = [
      'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)',
      '  MIG 3g.40gb     Device  0: (UUID: MIG-a)',
      '  MIG 1c.2g.20gb  Device  1: (UUID: MIG-GPU-1/2/0)',
      'Unable to determine the device handle for gpu 0000:01:00.0: Unknown Error',
      'GPU 2: Tesla T4 (UUID: GPU-2)',
    ].join('\n')
    expect(parseGpuList(list)).toEqual([
      {
        index: 0,
        name: 'NVIDIA H100 80GB HBM3',
        uuid: 'GPU-1',
        migDevices: [
          { index: 0, profile: '3g.40gb', uuid: 'MIG-a' },
          { index: 1, profile: '1c.2g.20gb', uuid: 'MIG-GPU-1/2/0' },
        ],
      },
      { index: 2, name: 'Tesla T4', uuid: 'GPU-2', migDevices: [] },
    ])
  })

  it('one name stands for a card by old and new drivers', () => {
    expect(toModelName('NVIDIA GeForce RTX 3090')).toBe(toModelName('GeForce RTX 3090'))
    expect(toModelName('Tesla T4')).toBe('Tesla T4')
  })
})

describe('parseTopology', () => {
  it('reads a matrix with an underlined header and network cards, and leaves out cells that are missing', () => {
    const matrix = [
      '\t\u001B[4mGPU0\tGPU1\tGPU2\tNIC0\tCPU Affinity\u001B[0m',
      'GPU0\t X \tNV12\tSYS\tPIX\t0-15',
      'GPU1\tNV12\t X \tSYS\tSYS\t0-15',
      'GPU2\tSYS\t',
      'NIC0\tPIX\tSYS\tSYS\t X',
      '  NV#  = Connection traversing a bonded set of # NVLinks',
    ].join('\n')
    const links = parseTopology(matrix).map(({ from, to, kind, links: count }) => `${from}-${to} ${kind}${count}`)
    expect(links).toEqual(['0-1 NV12', '0-2 SYS0', '1-0 NV12', '1-2 SYS0', '2-0 SYS0'])
  })

  it('more NVLinks are better than fewer, and any of them than PCIe', () => {
    const scores = (['SYS', 'NODE', 'PHB', 'PXB', 'PIX'] as const).map((kind) => linkScore({ from: 0, to: 1, kind, links: 0 }))
    const nvlinks = [1, 4, 18].map((links) => linkScore({ from: 0, to: 1, kind: 'NV', links }))
    const all = [...scores, ...nvlinks]
    expect(all.toSorted((a, b) => a - b)).toEqual(all)
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('parseXid', () => {
  it.each([
    ['NVRM: Xid (PCI:0000:09:00): 79, pid=0, GPU has fallen off the bus.', { xid: 79, pciAddress: '0000:09:00', pid: 0, class: 'reboot' }],
    [
      "NVRM: Xid (PCI:0000:01:00): 31, pid='<unknown>', name=<unknown>, Ch 1",
      { pid: null, processName: null, class: 'application', text: 'Ch 1' },
    ],
    ['[1.2] NVRM: Xid (PCI:0009:01:00): 45, pid=12, name=python3, Ch 00000008', { pid: 12, processName: 'python3', class: 'teardown' }],
    ['NVRM: Xid (0000:03:00): 14, Channel 00000001', { xid: 14, pid: null, class: 'note', text: 'Channel 00000001' }],
    ['NVRM: Xid (PCI:0000:03:00): 154, GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)', { class: 'note' }],
    ['NVRM: Xid (PCI:0000:03:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)', { class: 'reboot' }],
    ['NVRM: Xid (PCI:0000:03:00): 145, RLW_RXPIPE Nonfatal XC0 i0 Link 13', { class: 'note' }],
    ['NVRM: Xid (PCI:0000:03:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 01', { class: 'reset' }],
    ['NVRM: Xid (PCI:0000:03:00): 999, something new', { class: 'unknown' }],
  ])('%s', (line, expected) => {
    expect(parseXid(line)).toMatchObject(expected)
  })

  it.each(['', 'NVRM: GPU at PCI:0000:09:00: GPU-1', 'usb 1-1: Xid (PCI:0000:09:00): 79'])('"%s" is no Xid', (line) => {
    expect(parseXid(line)).toBeUndefined()
  })

  it('addresses of the report and of the kernel compare equal', () => {
    expect(['00000000:9B:00.0', '0000:9b:00', '0000:9B:00.0'].map(toPciAddress)).toEqual(['0000:9b:00', '0000:9b:00', '0000:9b:00'])
    expect(toPciAddress('00010000:01:00.0')).toBe('10000:01:00')
  })
})

describe('createReportStream', () => {
  const document = (version: number) =>
    `<?xml version="1.0" ?>\n<nvidia_smi_log><driver_version>${version}</driver_version></nvidia_smi_log>\n`

  it('gives each report once, however the pipe cuts it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (cuts) => {
        const text = [1, 2, 3].map(document).join('')
        const stream = createReportStream()
        const results = []
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          results.push(...stream.push(text.slice(at, at + size)))
          at += size
        }
        expect(results.map((result) => result.kind === 'report' && result.driverVersion)).toEqual(['1', '2', '3'])
        expect(stream.end()).toBeUndefined()
      }),
    )
  })

  it('a pipe that ends in the middle of a report is a failure, and so are words without a report', () => {
    const stream = createReportStream()
    expect(stream.push(document(1).slice(0, 40))).toEqual([])
    expect(stream.end()?.kind).toBe('failure')
    stream.push('NVIDIA-SMI has failed because it couldn’t communicate with the NVIDIA driver.')
    expect(stream.end()).toMatchObject({ message: expect.stringContaining('communicate with the NVIDIA driver') as string })
  })

  it('a report that never ends is dropped at the limit, and the next one is read', () => {
    const stream = createReportStream(100)
    expect(stream.push('x'.repeat(101))).toEqual([{ kind: 'failure', message: 'a report of nvidia-smi is longer than 100 characters' }])
    expect(stream.push(document(2))).toHaveLength(1)
  })
})
