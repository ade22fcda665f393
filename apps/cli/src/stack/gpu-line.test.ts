import { expect, it } from 'vitest'
import { findUnknownCards, wordsFor } from './gpu-line.ts'

const card = (name: string, fault?: string) => ({ name, healthy: fault === undefined, fault })
const NONE = { real: [], simulated: [], warnings: [] }

it.each([
  ['a machine without cards', NONE, 'no NVIDIA card'],
  ['simulated cards', { ...NONE, simulated: [{ name: 'NVIDIA L4', count: 2 }] }, 'no NVIDIA card; simulated: 2 × NVIDIA L4'],
  ['real cards', { ...NONE, real: [card('NVIDIA L4'), card('NVIDIA H200'), card('NVIDIA L4')] }, '2 × NVIDIA L4, NVIDIA H200'],
  ['both', { ...NONE, real: [card('NVIDIA H200')], simulated: [{ name: 'NVIDIA L4', count: 1 }] }, 'NVIDIA H200; simulated: NVIDIA L4'],
  [
    'a card with a fault',
    { ...NONE, real: [card('NVIDIA L4'), card('NVIDIA A40', 'fell off the bus')] },
    'NVIDIA L4; NVIDIA A40 not usable: fell off the bus',
  ],
  ['a failing nvidia-smi', { ...NONE, warnings: ['no driver'] }, 'no NVIDIA card; no driver'],
])('names the cards of %s', (_title, cards, words) => {
  expect(wordsFor(cards)).toBe(words)
})

it('names simulated cards of no known type, with the type that was probably meant', () => {
  const found = (simulatedGpus: string, gpuTypes = {}) => findUnknownCards({ simulatedGpus, gpuTypes, hosts: undefined })
  expect(found('NVIDIA L4:2, NVIDIA GeForce RTX 4090')).toEqual([])
  expect(found('garbage')).toEqual(['"garbage" is no known GPU type: endpoints get it only by that name or by "any"'])
  expect(found('NVIDIA GeForce RTX 409')[0]).toMatch(/; did you mean "NVIDIA GeForce RTX \d+"\?$/u)
  expect(found('garbage', { garbage: { pool: 'ADA_24' } })).toEqual([])
})
