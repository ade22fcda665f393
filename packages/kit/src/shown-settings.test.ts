import { Config } from '@runyard/schema'
import { expect, it } from 'vitest'
import { listSettings } from './settings.ts'
import { showSettings, withoutPassword } from './shown-settings.ts'

const config = Config.parse({
  redis: { url: 'redis://me:pa55word@box:6379' },
  blobs: { s3: { secretAccessKey: 'pa55word' } },
  traces: { endpoint: 'https://me:pa55word@box/otlp', headers: { authorization: 'pa55word' } },
  notify: [{ url: 'https://hooks.example.com/pa55word?token=pa55word' }],
})
const shown = showSettings({ config, origins: { 'redis.url': 'REDIS_URL' }, dataDir: '/data' })
const find = (key: string) => shown.find((setting) => setting.key === key)

it('shows every setting with its value, its origin and its variable, and no secret', () => {
  expect(shown.map(({ key }) => key)).toEqual(listSettings().map(({ key }) => key))
  expect(find('redis.url')).toMatchObject({ value: 'redis://me:…@box:6379', from: 'REDIS_URL', variable: 'RUNYARD_REDIS_URL' })
  expect(find('listen.port')).toMatchObject({ value: 8080, from: 'default' })
  expect(find('dataDir')?.value).toBe('/data')
  expect(find('traces.headers')?.value).toEqual({ authorization: '…' })
  expect(JSON.stringify(shown)).not.toContain('pa55word')
})

it('knows each setting that sounds like a secret', () => {
  const secretive = listSettings().filter(({ key }) => /secret|password|token|credential|headers|url|notify/iu.test(key))
  expect(secretive.map(({ key }) => key).toSorted()).toEqual([
    'blobs.s3.secretAccessKey',
    'models.hubUrl',
    'notify',
    'redis.url',
    'traces.headers',
    'workerPlane.url',
  ])
})

it.each([
  ['redis://host:6379/1', 'redis://host:6379/1'],
  ['/run/redis.sock', '/run/redis.sock'],
  ['redis://:secret@host:6379', 'redis://:…@host:6379'],
  ['rediss://user:secret@host/0', 'rediss://user:…@host/0'],
  ['redis://user:a:secret@b/secret@host', 'redis://user:…@host'],
])('shows %s as %s', (url, text) => {
  expect(withoutPassword(url)).toBe(text)
})
