import { expect, it } from 'vitest'
import { planeUrlOf } from './plane-url.ts'

it.each([
  ['the address that the gateway listens on', { host: '172.17.0.1', port: 8081 }, 'http://172.17.0.1:8081'],
  ['this machine’s address for the host, if the gateway listens on all addresses', { host: '0.0.0.0', port: 1 }, 'http://10.0.0.9:1'],
  ['the same for IPv6', { host: '::', port: 1 }, 'http://10.0.0.9:1'],
  ['an IPv6 address in brackets', { host: 'fd00::1', port: 1 }, 'http://[fd00::1]:1'],
  ['the configured URL, without its trailing slash', { host: '::', port: 1, url: 'https://plane.example/x/' }, 'https://plane.example/x'],
])('workers get %s', (_, settings, url) => {
  expect(planeUrlOf(settings, '10.0.0.9')).toBe(url)
})
