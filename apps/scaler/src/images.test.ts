import { RunyardError, type PullOptions } from '@runyard/schema'
import { expect, test, vi } from 'vitest'
import { createImages } from './images.ts'
import { createFakeHost } from './scaler-fixture.ts'

const WAIT = { timeout: 30_000 }
const never = new AbortController().signal

/** A host whose pull ends when the test says so. */
function slowHost() {
  const pull = Promise.withResolvers<undefined>()
  const pulls: string[] = []
  let tell: (line: string) => void = () => undefined
  const host = {
    ...createFakeHost(),
    hasImage: async () => false,
    imageId: async () => undefined,
    async pullImage(image: string, { onProgress, signal }: PullOptions) {
      pulls.push(image)
      tell = onProgress
      signal.addEventListener('abort', () => pull.reject(new Error('broken off')), { once: true })
      await pull.promise
    },
  }
  return { host, pulls, finish: () => pull.resolve(undefined), say: (line: string) => tell(line) }
}

test('workers that want the same image share one pull and each hear of its progress', async () => {
  const { host, pulls, finish, say } = slowHost()
  const images = createImages()
  const heard: string[] = []
  const wait = (name: string) => images.ensure(host, 'big:1', { onProgress: (line) => heard.push(`${name} ${line}`), signal: never })
  const both = Promise.all([wait('one'), wait('two')])
  await vi.waitFor(() => expect(pulls).toEqual(['big:1']), WAIT)
  await vi.waitFor(() => {
    heard.length = 0
    say('50 %')
    expect(heard).toEqual(['one 50 %', 'two 50 %'])
  }, WAIT)
  finish()
  await both
  await images.ensure(host, 'big:1', { onProgress: () => undefined, signal: never })
  expect(pulls).toEqual(['big:1'])
})

test('a pull that nobody waits for any more is broken off, and the next one starts anew', async () => {
  const { host, pulls } = slowHost()
  const images = createImages()
  const stop = new AbortController()
  const waiting = images.ensure(host, 'big:1', { onProgress: () => undefined, signal: stop.signal })
  await vi.waitFor(() => expect(pulls).toHaveLength(1), WAIT)
  stop.abort(new Error('not wanted'))
  await expect(waiting).rejects.toThrow('not wanted')
  await expect(images.ensure(host, 'big:1', { onProgress: () => undefined, signal: never })).rejects.toThrow('broken off')
})

test('an image that cannot be had fails with the host’s sentence', async () => {
  const host = createFakeHost()
  host.problem.image = new RunyardError('not_found', 'no such image')
  await expect(createImages().ensure(host, 'x', { onProgress: () => undefined, signal: never })).rejects.toThrow('no such image')
})

test('who has credentials does not wait for the pull of one who has none', async () => {
  const { host, pulls, finish } = slowHost()
  const images = createImages()
  const wait = (credentials?: PullOptions['credentials']) =>
    images.ensure(host, 'big:1', { credentials, onProgress: () => undefined, signal: never })
  const all = Promise.all([
    wait(),
    wait({ name: 'mine', username: 'me', password: 'a' }),
    wait({ name: 'mine', username: 'me', password: 'b' }),
  ])
  await vi.waitFor(() => expect(pulls).toHaveLength(3), WAIT)
  finish()
  await all
})
