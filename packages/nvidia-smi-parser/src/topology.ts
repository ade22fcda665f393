// `nvidia-smi topo -m`: how each pair of cards is connected. Cards are numbered as in the report (`NvidiaGpu.index`).

/** Best first: NVLink (with its number of links), then paths over PCIe, the last one between sockets. */
export const LINK_KINDS = ['NV', 'PIX', 'PXB', 'PHB', 'NODE', 'SYS'] as const
export type LinkKind = (typeof LINK_KINDS)[number]

export interface GpuLink {
  readonly from: number
  readonly to: number
  readonly kind: LinkKind
  /** Bonded NVLinks of `NV4`; 0 for PCIe. */
  readonly links: number
}

/** Terminal escape codes, which underline the header since driver 53x. */
// eslint-disable-next-line no-control-regex -- the escape character is what is looked for
const ESCAPES = /\u001B\[[0-9;]*m/g
const CELL = /^(NV(\d+)|PIX|PXB|PHB|NODE|SYS)$/

/** Parses the matrix. Pairs of cards whose cell is missing or unknown are left out; network cards are ignored. */
export function parseTopology(output: string): readonly GpuLink[] {
  const lines = output.replaceAll(ESCAPES, '').split('\n')
  const header = lines.find((line) => /^\s*GPU\d+(\s|$)/.test(line))
  const columns =
    header
      ?.trim()
      .split(/\t+|\s{2,}|\s(?=GPU\d|NIC\d|mlx)/)
      .map((column) => column.trim()) ?? []
  return lines.flatMap((line) => {
    const from = /^GPU(\d+)\s/.exec(line)?.[1]
    if (from === undefined || line === header) return []
    const cells = line.trim().split(/\s+/).slice(1)
    return cells.flatMap((cell, at) => toLink(Number(from), columns[at], cell))
  })
}

function toLink(from: number, column: string | undefined, cell: string): readonly GpuLink[] {
  const to = /^GPU(\d+)$/.exec(column ?? '')?.[1]
  const [, kind, links] = CELL.exec(cell) ?? []
  if (to === undefined || kind === undefined || Number(to) === from) return []
  return [{ from, to: Number(to), kind: links === undefined ? (kind as LinkKind) : 'NV', links: Number(links ?? 0) }]
}

/** A number for comparing links, higher is better: more NVLinks before fewer, any NVLink before PCIe. */
export const linkScore = ({ kind, links }: GpuLink): number => (kind === 'NV' ? 10 + links : LINK_KINDS.length - LINK_KINDS.indexOf(kind))
