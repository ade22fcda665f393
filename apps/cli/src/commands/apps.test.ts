import type { EndpointView } from '@runyard/schema/api'
import { expect, it } from 'vitest'
import { recorder } from '../testing/recorder.ts'
import { appListing, environmentsOf, type AppFacts } from './apps.ts'
import { renderListing } from '../output/listing.ts'
import { endpointListing } from './endpoints/read.ts'

const AT = '2026-11-30T05:00:00.000Z'
const APPS: readonly AppFacts[] = [
  {
    id: 'a1',
    name: 'shop',
    createdAt: AT,
    flashBuilds: [{ id: 'b1', createdAt: AT }],
    flashEnvironments: [
      { id: 'e1', name: 'production', state: 'deployed', activeBuildId: 'b1', createdAt: AT, endpoints: [{ id: 'ep1', name: 'greet' }] },
      { id: 'e2', name: 'staging', state: 'created', activeBuildId: null, createdAt: AT, endpoints: [] },
    ],
  },
  { id: 'a2', name: 'empty', createdAt: AT, flashBuilds: [], flashEnvironments: [] },
]

it('lists each environment with its active build and its endpoints', () => {
  const out = recorder()
  expect(renderListing(out, appListing(APPS)).map((line) => line.replaceAll(/ {2,}/gu, '|').trim())).toEqual([
    'app|environment|active build|endpoints',
    'shop|production|b1 of 2026-11-30T05:00|greet',
    'shop|staging|none yet|–',
    'empty|no environment|–|–',
  ])
  expect(renderListing(out, appListing([]))[0]).toContain('flash deploy')
})

it('distinguishes endpoints of one name by their environments', () => {
  const out = recorder()
  const endpoint = (id: string) => ({ id, name: 'greet', image: 'x', gpu: null, workers: { min: 0, max: 1 } }) as unknown as EndpointView
  const lines = renderListing(out, endpointListing([endpoint('ep1'), endpoint('ep2')], environmentsOf(APPS)))
  expect(lines.map((line) => line.replaceAll(/ {2,}/gu, '|'))).toEqual([
    'endpoint|id|image|hardware|workers|environment',
    'greet|ep1|x|–|0..1|shop/production',
    'greet|ep2|x|–|0..1|–',
  ])
  expect(renderListing(out, endpointListing([endpoint('ep1')], new Map()))[0]).not.toContain('environment')
})
