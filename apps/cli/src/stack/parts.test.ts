import { expect, it } from 'vitest'
import { partArguments } from '../locations.ts'
import { partEnvironments } from './parts.ts'

it('the gateway alone gets the key, by its file; both get the sources of their settings', () => {
  const { gateway, scaler } = partEnvironments({
    env: { PATH: '/bin' },
    listen: { host: '127.0.0.1', port: 1 },
    plane: { host: '127.0.0.1', port: 2 },
    redis: { url: '/redis.sock' },
    dataDir: { path: '/data' },
    choice: { hosts: [], planeHost: '127.0.0.1' },
    origins: {
      'listen.host': 'default',
      'listen.port': '--port',
      dataDir: '/runyard.yaml',
      'redis.url': 'default',
      'workerPlane.port': 'X',
    },
  })
  expect(JSON.parse(scaler['RUNYARD_ORIGINS'] ?? '')).toEqual({
    'listen.host': 'default',
    'listen.port': '--port',
    dataDir: '/runyard.yaml',
    'workerPlane.port': 'X',
    'redis.url': 'runyard up',
  })
  expect(gateway).toEqual({ ...scaler, RUNYARD_BOOTSTRAP_KEY_FILE: '/data/key' })
})

it('runs bundles, or for `pnpm dev` sources that restart when they change', () => {
  expect(partArguments('gateway', {}).at(-1)).toMatch(/\/apps\/gateway\/dist\/main\.mjs$/)
  const fromSource = partArguments('scaler', { RUNYARD_FROM_SOURCE: '1' })
  expect(fromSource[0]).toBe('--watch')
  expect(fromSource.at(-1)).toMatch(/\/apps\/scaler\/src\/main\.ts$/)
})
