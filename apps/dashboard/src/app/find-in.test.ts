import { expect, it } from 'vitest'
import { findIn, type Findable } from './find-in.ts'

const caption = { id: 'ep1', name: 'caption' }
const ALL: Findable = {
  endpoints: [caption, { id: 'ep2', name: 'upscale' }],
  hosts: [{ label: 'box', gpus: [{ uuid: 'GPU-1a', index: 0, name: 'NVIDIA L4' }] }] as unknown as Findable['hosts'],
  workers: [{ id: 'w77', endpoint: caption, phase: 'busy', host: 'box' }],
  jobs: [{ id: 'job-1', endpoint: caption, status: 'FAILED' }],
}
const find = (text: string) => findIn(ALL, text).map(({ kind, href }) => `${kind} ${href}`)

it('lists the pages where nothing is asked for', () => {
  expect(find('').slice(0, 2)).toEqual(['page /', 'page /jobs'])
  expect(find('').every((found) => found.startsWith('page'))).toBe(true)
})

it('finds by parts of names and ids, in any case', () => {
  expect(find('CAPT')).toEqual(['endpoint /endpoints/ep1', 'worker /workers/w77', 'job /jobs/job-1'])
  expect(find('gpu-1A').slice(0, 1)).toEqual(['card /gpus/GPU-1a'])
  expect(find('fail').slice(0, 1)).toEqual(['page /failures'])
})

it('wants all words', () => {
  expect(findIn({ ...ALL, jobs: [] }, 'box caption').map(({ kind }) => kind)).toEqual(['worker'])
  expect(findIn({ ...ALL, jobs: [] }, 'box nothing')).toEqual([])
})
