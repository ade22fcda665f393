// A small picture for units: ten columns of ten seconds on two cards of one host.
import type { TimelineLane, TimelineView } from '@runyard/schema/api'
import { createPalette, type Rgb } from '../palette.ts'

const lane = (uuid: string, index: number): TimelineLane => ({
  uuid,
  host: 'box',
  hostId: 'h',
  index,
  name: 'NVIDIA L4',
  simulated: false,
  group: 'box',
  phases: '..........',
  load: '----------',
  memory: '----------',
  power: '----------',
  failed: [],
})

const worker = { id: 'w1', endpoint: { id: 'e1', name: 'caption' }, version: 1, startReason: 'first_job' } as const

export const SMALL: TimelineView = {
  from: 0,
  to: 100_000,
  now: 100_000,
  px: 10,
  readingPx: 1,
  level: 'near',
  isComplete: true,
  absences: [{ uuid: 'b', cause: 'lost', from: 90_000, to: 90_001 }],
  lanes: [
    {
      ...lane('a', 0),
      phases: '.psibbidd.',
      load: '----zz0---',
      memory: '----iiii--',
      failed: [5],
      workers: [
        {
          ...worker,
          phases: [
            { phase: 'pulling', from: 10_000, to: 20_000 },
            { phase: 'starting', from: 20_000, to: 30_000 },
            { phase: 'idle', from: 30_000, to: 70_000 },
            { phase: 'draining', from: 70_000, to: 90_000 },
          ],
        },
      ],
      jobs: [
        { id: 'j1', endpointId: 'e1', status: 'COMPLETED', from: 40_000, to: 49_000 },
        { id: 'j2', endpointId: 'e1', status: 'FAILED', from: 50_000, to: 55_000 },
      ],
    },
    lane('b', 1),
  ],
}

const TOKENS: Readonly<Record<string, Rgb>> = {
  '--surface': [255, 255, 255],
  '--state-free': [200, 200, 200],
  '--state-busy': [0, 100, 100],
  '--line': [190, 190, 190],
  '--state-trouble': [200, 0, 0],
  '--state-pulling': [200, 120, 0],
  '--state-starting': [160, 100, 0],
  '--state-draining': [120, 80, 180],
  '--state-unknown': [100, 100, 110],
}
export const PALETTE = createPalette((token) => TOKENS[token] ?? [1, 2, 3])
