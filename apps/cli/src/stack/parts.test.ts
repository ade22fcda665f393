import { expect, it } from 'vitest'
import { partEnvironments } from './parts.ts'

it('the gateway alone is given the key', () => {
  const { gateway, scaler } = partEnvironments({
    env: { PATH: '/bin' },
    listen: { host: '127.0.0.1', port: 1 },
    plane: { host: '127.0.0.1', port: 2 },
    redis: { url: '/redis.sock' },
    dataDir: { path: '/data', key: 'rpa_secret' },
    choice: { hosts: [], agentVolume: undefined, planeHost: '127.0.0.1' },
  })
  expect(gateway).toMatchObject({ ...scaler, RUNYARD_BOOTSTRAP_KEY: 'rpa_secret' })
  expect(Object.values(scaler)).not.toContain('rpa_secret')
})
