// GPU types as data: those of Runpod's list (management §12), then those that Runpod does not offer. The name is the one that nvidia-smi prints.
import { GPU_POOL_IDS, type GpuPool } from '@runyard/schema'

/** What a pool's images may rely on. `arm`: of machines that do not run Runpod's images, so these types are in no pool. */
export type GpuGeneration = 'older' | 'ampere' | 'ada' | 'hopper' | 'blackwell' | 'arm' | 'other'

/** Published pool → its members (flash-api §9.1). */
export const GPU_POOLS = {
  AMPERE_16: ['NVIDIA RTX A4000', 'NVIDIA RTX A4500', 'NVIDIA RTX 4000 Ada Generation', 'NVIDIA RTX 2000 Ada Generation'],
  AMPERE_24: ['NVIDIA RTX A5000', 'NVIDIA L4', 'NVIDIA GeForce RTX 3090'],
  ADA_24: ['NVIDIA GeForce RTX 4090'],
  ADA_32_PRO: ['NVIDIA GeForce RTX 5090'],
  AMPERE_48: ['NVIDIA A40', 'NVIDIA RTX A6000'],
  ADA_48_PRO: ['NVIDIA RTX 6000 Ada Generation', 'NVIDIA L40', 'NVIDIA L40S'],
  AMPERE_80: ['NVIDIA A100 80GB PCIe', 'NVIDIA A100-SXM4-80GB'],
  ADA_80_PRO: ['NVIDIA H100 80GB HBM3', 'NVIDIA H100 PCIe', 'NVIDIA H100 NVL'],
  BLACKWELL_96: [
    'NVIDIA RTX PRO 6000 Blackwell Server Edition',
    'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
    'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
  ],
  HOPPER_141: ['NVIDIA H200'],
  BLACKWELL_180: ['NVIDIA B200'],
} as const satisfies Record<GpuPool, readonly string[]>

export { GPU_POOL_IDS }

/** The pool that a card joins by its memory in GiB and its generation, unless the list above or the operator says otherwise. The bounds allow
 * for what the driver does not count: an A40 reports 45 GiB. */
export const POOL_BOUNDS: readonly {
  readonly pool: GpuPool
  readonly fromGib: number
  readonly belowGib: number
  readonly generations: readonly GpuGeneration[]
}[] = [
  { pool: 'AMPERE_16', fromGib: 14.9, belowGib: 21, generations: ['ampere', 'ada', 'blackwell'] },
  { pool: 'AMPERE_24', fromGib: 21, belowGib: 25, generations: ['ampere'] },
  { pool: 'ADA_24', fromGib: 21, belowGib: 25, generations: ['ada', 'blackwell'] },
  { pool: 'ADA_32_PRO', fromGib: 31, belowGib: 33, generations: ['ada', 'blackwell'] },
  { pool: 'AMPERE_48', fromGib: 44, belowGib: 49, generations: ['ampere'] },
  { pool: 'ADA_48_PRO', fromGib: 44, belowGib: 49, generations: ['ada', 'blackwell'] },
  { pool: 'AMPERE_80', fromGib: 79, belowGib: 97, generations: ['ampere'] },
  { pool: 'ADA_80_PRO', fromGib: 79, belowGib: 97, generations: ['hopper'] },
  { pool: 'BLACKWELL_96', fromGib: 94, belowGib: 97, generations: ['blackwell'] },
  { pool: 'HOPPER_141', fromGib: 139, belowGib: 145, generations: ['hopper'] },
  { pool: 'BLACKWELL_180', fromGib: 178, belowGib: 300, generations: ['blackwell'] },
]

export type GpuTypeRow = readonly [id: string, displayName: string, memoryGb: number, generation: GpuGeneration]

const RUNPOD: readonly GpuTypeRow[] = [
  ['NVIDIA RTX A4000', 'RTX A4000', 16, 'ampere'],
  ['NVIDIA RTX A4500', 'RTX A4500', 20, 'ampere'],
  ['NVIDIA RTX 4000 Ada Generation', 'RTX 4000 Ada', 20, 'ada'],
  ['NVIDIA RTX 2000 Ada Generation', 'RTX 2000 Ada', 16, 'ada'],
  ['NVIDIA RTX A5000', 'RTX A5000', 24, 'ampere'],
  ['NVIDIA L4', 'L4', 24, 'ada'],
  ['NVIDIA GeForce RTX 3090', 'RTX 3090', 24, 'ampere'],
  ['NVIDIA GeForce RTX 4090', 'RTX 4090', 24, 'ada'],
  ['NVIDIA GeForce RTX 5090', 'RTX 5090', 32, 'blackwell'],
  ['NVIDIA A40', 'A40', 48, 'ampere'],
  ['NVIDIA RTX A6000', 'RTX A6000', 48, 'ampere'],
  ['NVIDIA L40', 'L40', 48, 'ada'],
  ['NVIDIA L40S', 'L40S', 48, 'ada'],
  ['NVIDIA RTX 6000 Ada Generation', 'RTX 6000 Ada', 48, 'ada'],
  ['NVIDIA A100 80GB PCIe', 'A100 PCIe', 80, 'ampere'],
  ['NVIDIA A100-SXM4-80GB', 'A100 SXM', 80, 'ampere'],
  ['NVIDIA H100 PCIe', 'H100 PCIe', 80, 'hopper'],
  ['NVIDIA H100 80GB HBM3', 'H100 SXM', 80, 'hopper'],
  ['NVIDIA H100 NVL', 'H100 NVL', 94, 'hopper'],
  ['NVIDIA RTX PRO 6000 Blackwell Server Edition', 'RTX PRO 6000', 96, 'blackwell'],
  ['NVIDIA RTX PRO 6000 Blackwell Workstation Edition', 'RTX PRO 6000 WK', 96, 'blackwell'],
  ['NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition', 'RTX PRO 6000 MaxQ', 96, 'blackwell'],
  ['NVIDIA H200', 'H200 SXM', 141, 'hopper'],
  ['NVIDIA B200', 'B200', 180, 'blackwell'],
  ['NVIDIA H200 NVL', 'NVIDIA H200 NVL', 143, 'hopper'],
  ['NVIDIA B300 SXM6 AC', 'B300', 288, 'blackwell'],
  ['NVIDIA RTX PRO 4500 Blackwell', 'RTX PRO 4500', 32, 'blackwell'],
  ['NVIDIA RTX PRO 4000 Blackwell', 'RTX PRO 4000', 24, 'blackwell'],
  ['NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb', 'PRO 6000 MIG 24GB', 24, 'blackwell'],
  ['NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 2g.48gb', 'PRO 6000 MIG 48GB', 48, 'blackwell'],
  ['NVIDIA A30', 'A30', 24, 'ampere'],
  ['NVIDIA RTX 5000 Ada Generation', 'RTX 5000 Ada', 32, 'ada'],
  ['NVIDIA RTX 4000 SFF Ada Generation', 'RTX 4000 Ada SFF', 20, 'ada'],
  ['NVIDIA A5000 Ada', 'A5000 Ada', 24, 'ada'],
  ['NVIDIA RTX A2000', 'RTX A2000', 6, 'ampere'],
  ['NVIDIA GeForce RTX 5080', 'RTX 5080', 16, 'blackwell'],
  ['NVIDIA GeForce RTX 4080', 'RTX 4080', 16, 'ada'],
  ['NVIDIA GeForce RTX 4080 SUPER', 'RTX 4080 SUPER', 16, 'ada'],
  ['NVIDIA GeForce RTX 4070 Ti', 'RTX 4070 Ti', 12, 'ada'],
  ['NVIDIA GeForce RTX 3090 Ti', 'RTX 3090 Ti', 24, 'ampere'],
  ['NVIDIA GeForce RTX 3080 Ti', 'RTX 3080 Ti', 12, 'ampere'],
  ['NVIDIA GeForce RTX 3080', 'RTX 3080', 10, 'ampere'],
  ['NVIDIA GeForce RTX 3070', 'RTX 3070', 8, 'ampere'],
  ['Tesla V100-SXM2-32GB', 'V100 SXM2 32GB', 32, 'older'],
  ['Tesla V100-SXM2-16GB', 'V100 SXM2', 16, 'older'],
  ['Tesla V100-PCIE-32GB', 'V100 PCIe 32GB', 32, 'older'],
  ['Tesla V100-PCIE-16GB', 'Tesla V100', 16, 'older'],
  ['Tesla V100-FHHL-16GB', 'V100 FHHL', 16, 'older'],
  ['Tesla T4', 'T4', 16, 'older'],
  ['NVIDIA A100-SXM4-40GB', 'A100 SXM 40GB', 40, 'ampere'],
  ['AMD Instinct MI300X OAM', 'MI300X', 192, 'other'],
]

/** `name memoryGb`, one generation a list; the display name is the name without the maker. */
const MORE: readonly (readonly [GpuGeneration, string])[] = [
  [
    'blackwell',
    'GeForce RTX 5090 D 32, GeForce RTX 5070 Ti 16, GeForce RTX 5070 12, GeForce RTX 5060 Ti 16, GeForce RTX 5060 8, GeForce RTX 5050 8, RTX PRO 5000 Blackwell 48, RTX PRO 2000 Blackwell 16',
  ],
  ['hopper', 'H20 96, H800 80, H800 PCIe 80, H100 64'],
  [
    'ada',
    'GeForce RTX 4090 D 24, GeForce RTX 4070 Ti SUPER 16, GeForce RTX 4070 SUPER 12, GeForce RTX 4070 12, GeForce RTX 4060 Ti 8, GeForce RTX 4060 8, RTX 4500 Ada Generation 24, L2 24, L20 48',
  ],
  [
    'ampere',
    'A10 24, A10G 24, A16 16, A2 16, A100-PCIE-40GB 40, A800-SXM4-80GB 80, A800 80GB PCIe 80, GeForce RTX 3070 Ti 8, GeForce RTX 3060 Ti 8, GeForce RTX 3060 12, GeForce RTX 3050 8, RTX A2000 12GB 12, RTX A5500 24, RTX A1000 8, GeForce RTX 3060 Laptop GPU 6',
  ],
  [
    'older',
    'GeForce RTX 2080 Ti 11, GeForce RTX 2080 SUPER 8, GeForce RTX 2080 8, GeForce RTX 2070 SUPER 8, GeForce RTX 2070 8, GeForce RTX 2060 SUPER 8, GeForce RTX 2060 6, GeForce GTX 1660 Ti 6, GeForce GTX 1660 SUPER 6, GeForce GTX 1080 Ti 11, GeForce GTX 1080 8, GeForce GTX 1070 8, GeForce GTX 1060 6GB 6, TITAN RTX 24, TITAN V 12',
  ],
  ['arm', 'GH200 480GB 96, GB200 189, GB300 284, GB10 128, Thor 128, Orin 32'],
]

/** Names that never had the maker in front. */
const QUADRO_AND_TESLA =
  'Quadro RTX 8000 48, Quadro RTX 6000 24, Quadro RTX 5000 16, Quadro RTX 4000 8, Quadro P4000 8, Quadro P2000 5, Quadro P400 2, Tesla V100S-PCIE-32GB 32, Tesla P100-PCIE-16GB 16, Tesla P100-PCIE-12GB 12, Tesla P40 24, Tesla P4 8, Tesla M10 8, Tesla K80 12'

function rowsOf(text: string, prefix: string, generation: GpuGeneration): readonly GpuTypeRow[] {
  return text.split(', ').map((item) => {
    const at = item.lastIndexOf(' ')
    const name = item.slice(0, at)
    return [`${prefix}${name}`, name.replace(/^GeForce /, ''), Number(item.slice(at + 1)), generation]
  })
}

export const GPU_TYPE_ROWS: readonly GpuTypeRow[] = [
  ...RUNPOD,
  ...MORE.flatMap(([generation, text]) => rowsOf(text, 'NVIDIA ', generation)),
  ...rowsOf(QUADRO_AND_TESLA, '', 'older'),
]

/** Other names of a type (management §12). */
export const GPU_NAME_ALIASES: Readonly<Record<string, string>> = {
  'NVIDIA RTX A30': 'NVIDIA A30',
  'NVIDIA GeForce RTX 3080TI': 'NVIDIA GeForce RTX 3080 Ti',
}
