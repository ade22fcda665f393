import { expect, it } from 'vitest'
import { describeEngine, parseEngineUrl } from './engine-connection.ts'
import { DockerHostConfig, engineOf, HostConfig, Hosts } from './host-config.ts'

const tls = { ca: '/ca.pem', cert: '/cert.pem', key: '/key.pem' }

it.each([
  ['unix:///run/docker.sock', { kind: 'unix', socket: '/run/docker.sock' }, '/run/docker.sock'],
  ['tcp://box.example:2377', { kind: 'tcp', host: 'box.example', port: 2377, tls }, 'tcp://box.example:2377'],
  ['tcp://box', { kind: 'tcp', host: 'box', port: 2376, tls }, 'tcp://box:2376'],
  ['tcp://[fd00::7]', { kind: 'tcp', host: 'fd00::7', port: 2376, tls }, 'tcp://[fd00::7]:2376'],
  ['ssh://box', { kind: 'ssh', host: 'box', socket: '/var/run/docker.sock' }, 'ssh://box'],
  [
    'ssh://me@box:2222/run/d.sock',
    { kind: 'ssh', host: 'box', user: 'me', port: 2222, socket: '/run/d.sock' },
    'ssh://me@box:2222/run/d.sock',
  ],
])('%s names an engine', (url, expected, words) => {
  const connection = engineOf({ engine: url, tls })
  expect(connection).toMatchObject(expected)
  expect(describeEngine(connection)).toBe(words)
})

it.each([
  'box:2375',
  'unix://relative',
  'http://box',
  'tcp://',
  'tcp://box:99999',
  'tcp://me@box',
  'ssh://-oProxyCommand=x',
  'ssh://-l@box',
])('%s names none', (url) => {
  expect(parseEngineUrl(url, tls)).toMatchObject({ problem: expect.stringContaining('names no engine') as string })
})

it('TCP without TLS is rejected, except for a local port', () => {
  expect(parseEngineUrl('tcp://10.0.0.7:2375')).toMatchObject({ problem: expect.stringContaining('without TLS') as string })
  for (const host of ['127.0.0.1', 'localhost', '[::1]'])
    expect(parseEngineUrl(`tcp://${host}:2375`)).toMatchObject({ kind: 'tcp', port: 2375 })
})

it('a host accepts only the settings of its kind', () => {
  expect(engineOf(DockerHostConfig.parse({ kind: 'docker' }))).toEqual({ kind: 'unix', socket: '/var/run/docker.sock' })
  expect(engineOf({ socket: '/other.sock' })).toEqual({ kind: 'unix', socket: '/other.sock' })
  const problems = (host: object) => HostConfig.safeParse(host).error?.issues.map(({ message }) => message)
  expect(problems({ kind: 'process', socket: '/x' })).toEqual(['a host has no setting "socket"'])
  expect(problems({ kind: 'docker', socket: '/x', engine: 'unix:///y' })).toEqual(['socket and engine name two engines'])
  expect(problems({ kind: 'dockr' })).toEqual(['kind is docker or process'])
})

it('two hosts need different names', () => {
  const problems = Hosts.safeParse([{ kind: 'docker' }, { kind: 'process' }]).error?.issues.map(({ message }) => message)
  expect(problems).toEqual(['two hosts are called "local": give each an id of its own'])
})
