import { afterEach, describe, expect, it } from 'vitest'
import { isPublicAddress } from './address-guard.ts'
import { startReceiver, type Receiver } from '@runyard/testing'
import { sendWebhook, type SendOptions } from './send.ts'
import { parseWebhookUrl, withoutSecrets } from './target.ts'

const scope: AsyncDisposable[] = []
afterEach(async () => {
  await Promise.all(scope.splice(0).map((one) => one[Symbol.asyncDispose]()))
})

async function receiver(options?: { host?: string; port?: number }): Promise<Receiver> {
  const started = await startReceiver(options)
  scope.push(started)
  return started
}

const noResolver = (): never => {
  throw new Error('no name should be resolved')
}

function post(url: string, options: Partial<SendOptions> & { timeoutMs?: number } = {}, body = '{"id":"j"}') {
  const headers = { 'content-type': 'application/json', 'webhook-id': 'e' }
  const signal = AbortSignal.timeout(options.timeoutMs ?? 30_000)
  return sendWebhook({ url: new URL(url), headers, body }, { isAllowed: () => true, resolve: noResolver, signal, ...options })
}

describe('a post', () => {
  it('carries headers and body as they are, and returns the status of the answer', async () => {
    const to = await receiver()
    to.answer = (response) => void response.writeHead(204).end()
    const body = JSON.stringify({ text: 'größer', __proto__: 1 })
    expect(await post(`${to.url}?token=1`, {}, body)).toEqual({ kind: 'answered', status: 204 })
    expect(to.received).toMatchObject([{ path: '/hook?token=1', body, headers: { 'webhook-id': 'e', host: `127.0.0.1:${to.port}` } }])
  })

  it('sends the credentials of the URL as a header', async () => {
    const to = await receiver()
    await post(to.url.replace('//', '//me:secret@'))
    expect(to.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
  })

  it('follows no redirect', async () => {
    const other = await receiver()
    const to = await receiver()
    to.answer = (response) => void response.writeHead(307, { location: other.url }).end()
    expect(await post(to.url)).toEqual({ kind: 'answered', status: 307 })
    expect(other.received).toEqual([])
  })

  it.each(['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 'nonsense\r\n\r\n', ''])(
    'fails at once when it is answered %j',
    async (raw) => {
      const to = await receiver()
      to.answer = (response) => void response.socket?.end(raw)
      expect(await post(to.url)).toMatchObject({ kind: 'failed', error: expect.not.stringContaining('in time') })
    },
  )

  it('reads only the beginning of an endless answer', async () => {
    const to = await receiver()
    to.answer = (response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'.repeat(20_000)), 1)
      response.once('close', () => clearInterval(timer))
    }
    expect(await post(to.url)).toEqual({ kind: 'answered', status: 200 })
  })

  it('fails when a receiver never answers, in time', async () => {
    const to = await receiver()
    to.answer = () => undefined
    expect(await post(to.url, { timeoutMs: 300 })).toEqual({ kind: 'failed', error: 'no answer in time' })
  })

  it('fails when a name is never resolved, in time', async () => {
    const resolve = () => new Promise<never>(() => undefined)
    expect(await post('http://slow.example/', { resolve, timeoutMs: 300 })).toEqual({ kind: 'failed', error: 'no answer in time' })
  })

  it('fails when no server listens, and when the name does not exist', async () => {
    expect(await post('http://127.0.0.1:1/')).toMatchObject({ kind: 'failed', error: expect.stringContaining('ECONNREFUSED') })
    const resolve = () => Promise.reject(new Error('getaddrinfo ENOTFOUND gone.example'))
    expect(await post('http://gone.example/', { resolve })).toMatchObject({ kind: 'failed', error: 'getaddrinfo ENOTFOUND gone.example' })
    expect(await post('http://empty.example/', { resolve: () => Promise.resolve([]) })).toMatchObject({ kind: 'failed' })
  })
})

describe('the guard', () => {
  it('refuses a literal address', async () => {
    const to = await receiver()
    expect(await post(to.url, { isAllowed: isPublicAddress })).toEqual({ kind: 'refused', address: '127.0.0.1' })
    expect(to.received).toEqual([])
  })

  it('refuses a name if any of its addresses is private', async () => {
    const to = await receiver()
    const resolve = () =>
      Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '::ffff:127.0.0.1', family: 6 },
      ])
    const result = await post(`http://mixed.example:${to.port}/`, { isAllowed: isPublicAddress, resolve })
    expect(result).toEqual({ kind: 'refused', address: '::ffff:127.0.0.1' })
    expect(to.received).toEqual([])
  })

  it('connects to the address that was checked, although the name means another one a moment later', async () => {
    const publicOne = await receiver({ host: '127.0.0.2' })
    const privateOne = await receiver({ host: '127.0.0.1', port: publicOne.port })
    const answers = ['127.0.0.2', '127.0.0.1']
    let asked = 0
    const resolve = () => {
      asked += 1
      return Promise.resolve([{ address: answers[asked - 1] ?? '127.0.0.1', family: 4 }])
    }
    const isAllowed = (address: string) => address === '127.0.0.2'
    const url = `http://rebinding.example:${publicOne.port}/`
    expect(await post(url, { isAllowed, resolve })).toEqual({ kind: 'answered', status: 200 })
    expect(asked).toBe(1)
    expect(publicOne.received[0]?.headers.host).toBe(`rebinding.example:${publicOne.port}`)
    expect(await post(url, { isAllowed, resolve })).toEqual({ kind: 'refused', address: '127.0.0.1' })
    expect(privateOne.received).toEqual([])
  })
})

describe('the URL of a webhook', () => {
  it.each(['https://example.com/done?x=1', 'http://8.8.8.8:8080/', 'https://user:pass@example.com/', 'https://[2606:4700::1]/'])(
    'may be %s',
    (url) => {
      expect(parseWebhookUrl(url, isPublicAddress).href).toBe(url)
    },
  )

  it.each([
    ['example.com/done', 'must be an absolute URL'],
    ['/done', 'must be an absolute URL'],
    ['http://', 'must be an absolute URL'],
    ['ftp://example.com/', 'must be an http or https URL'],
    ['file:///etc/passwd', 'must be an http or https URL'],
    ['javascript:alert(1)', 'must be an http or https URL'],
    ['http://127.0.0.1/', 'names the private address 127.0.0.1'],
    ['http://2130706433/', 'names the private address 127.0.0.1'],
    ['http://0x7f.1/', 'names the private address 127.0.0.1'],
    ['http://localhost:3000/', 'names the private address localhost'],
    ['http://api.localhost/', 'names the private address api.localhost'],
    ['http://[::1]/', 'names the private address ::1'],
    ['http://[::ffff:10.0.0.1]/', 'names the private address ::ffff:a00:1'],
    ['http://169.254.169.254/latest/meta-data', 'names 169.254.169.254, the address of a metadata service, which no setting permits'],
  ])('may not be %s', (url, sentence) => {
    expect(() => parseWebhookUrl(url, isPublicAddress)).toThrow(sentence)
  })

  it('may not be longer than 2048 characters', () => {
    expect(() => parseWebhookUrl(`https://example.com/${'x'.repeat(2048)}`, isPublicAddress)).toThrow('2048 characters at most')
  })

  it('may be private where that is allowed', () => {
    expect(parseWebhookUrl('http://localhost:3000/', () => true).port).toBe('3000')
  })

  it('is shown without what is secret in it', () => {
    expect(withoutSecrets(new URL('https://me:pw@example.com:444/done?token=1#x'))).toBe('https://example.com:444/done')
  })
})
