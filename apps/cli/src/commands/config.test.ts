import { expect, it } from 'vitest'
import { withoutPassword } from './config.ts'

it.each([
  ['redis://host:6379/1', 'redis://host:6379/1'],
  ['/run/redis.sock', '/run/redis.sock'],
  ['redis://:secret@host:6379', 'redis://:…@host:6379'],
  ['rediss://user:secret@host/0', 'rediss://user:…@host/0'],
  ['redis://user:a:secret@b/secret@host', 'redis://user:…@host'],
])('shows %s as %s', (url, shown) => {
  expect(withoutPassword(url)).toBe(shown)
})
