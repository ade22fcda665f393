import { expect, it } from 'vitest'
import { titleOf } from './pages.ts'

it.each([
  ['/', 'Yard · Runyard'],
  ['/jobs', 'Jobs · Runyard'],
  ['/jobs/0123456789abcdef', 'Job 01234567 · Runyard'],
  ['/endpoints/e1', 'caption · Runyard'],
  ['/endpoints/caption/settings', 'caption · Settings · Runyard'],
  ['/endpoints/gone', 'gone · Runyard'],
  ['/hosts/gpu-box-one', 'Host gpu-box-one · Runyard'],
  ['/settings/keys', 'Keys · Settings · Runyard'],
  ['/sign-in', 'Sign in · Runyard'],
  ['/nowhere', 'Runyard'],
  ['/endpoints/%E0%A4%A', '%E0%A4%A · Runyard'],
])('%s is called %s', (pathname, title) => {
  expect(titleOf(pathname, [{ id: 'e1', name: 'caption' }])).toBe(title)
})
