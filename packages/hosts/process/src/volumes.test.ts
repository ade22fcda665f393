import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { workerLaunch } from '@runyard/testing'
import { expect } from 'vitest'
import { directory as parent, it } from '@runyard/testing/directory'
import { createVolumeDirectories } from './volumes.ts'

const mount = { volumeId: 'v1', path: '/runpod-volume', readOnly: false }
const BINDING = { kind: 'network', reference: 'models', id: 'v1' }

it('the variables of a worker name the directories of its volumes, also those of SDK 2', async () => {
  const RUNPOD_MOUNTS = JSON.stringify([{ ...BINDING, path: '/runpod-volume' }])
  const env = await createVolumeDirectories(parent).prepare(workerLaunch({ mounts: [mount], env: { RUNPOD_MOUNTS, A: '1' } }))
  const path = join(parent, 'v1')
  expect(env).toMatchObject({ A: '1', RUNPOD_VOLUME_PATH: path })
  expect(JSON.parse(env['RUNPOD_MOUNTS'] ?? '')).toEqual([{ ...BINDING, path }])
  expect((await stat(path)).isDirectory()).toBe(true)
})

it.each(['no list', '{}', '[1]'])('a list of mounts that is none, %s, is left to the SDK to report', async (RUNPOD_MOUNTS) => {
  const env = await createVolumeDirectories(parent).prepare(workerLaunch({ mounts: [mount], env: { RUNPOD_MOUNTS } }))
  expect(env['RUNPOD_MOUNTS']).toBe(RUNPOD_MOUNTS)
})

it('a worker without volumes has no such variable', async () => {
  expect(await createVolumeDirectories(parent).prepare(workerLaunch({ env: { A: '1' } }))).toEqual({ A: '1' })
})
