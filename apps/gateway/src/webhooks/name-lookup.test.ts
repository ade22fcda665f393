// Names of receivers, on a name server of our own that answers, fails or stays silent.
import { createSocket, type Socket } from 'node:dgram'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAsk, createResolve } from './name-lookup.ts'

let server: Socket
let address: string
let directory: string
/** Names that were asked for, in lower case. */
let asked: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'runyard-names-'))
  asked = []
  server = createSocket('udp4')
  server.on('message', (question, { port }) => {
    const name = nameIn(question)
    asked.push(name)
    if (!name.startsWith('silent')) server.send(answerTo(question, name), port, '127.0.0.1')
  })
  await new Promise<void>((resolve) => {
    server.bind(0, '127.0.0.1', resolve)
  })
  address = `127.0.0.1:${server.address().port}`
})
afterEach(async () => {
  server.close()
  await rm(directory, { recursive: true })
})

function nameIn(question: Buffer): string {
  const labels: string[] = []
  for (let at = 12; question[at] !== 0; at += (question[at] ?? 0) + 1)
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)))
  return labels.join('.').toLowerCase()
}

/** 192.0.2.1 for `good…`, no such name for all others. */
function answerTo(question: Buffer, name: string): Buffer {
  const end = question.indexOf(0, 12) + 5
  const isIpv4 = question.readUInt16BE(end - 4) === 1
  const header = Buffer.from(question.subarray(0, 12))
  const isGood = name.startsWith('good')
  header.writeUInt16BE(isGood ? 0x8180 : 0x8183, 2)
  header.writeUInt16BE(isGood && isIpv4 ? 1 : 0, 6)
  header.writeUInt32BE(0, 8)
  const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1])
  return Buffer.concat([header, question.subarray(12, end), ...(isGood && isIpv4 ? [record] : [])])
}

async function ask(options: { readonly hosts?: string; readonly resolvConf?: string; readonly timeoutMs?: number } = {}) {
  const { hosts = '127.0.0.1 localhost\n', resolvConf = '', timeoutMs = 200 } = options
  const [hostsFile, conf] = [join(directory, 'hosts'), join(directory, 'resolv.conf')]
  await writeFile(hostsFile, hosts)
  await writeFile(conf, resolvConf)
  return createAsk({ servers: [address], hostsFile, resolvConf: conf, timeoutMs })
}

const GOOD = [{ address: '192.0.2.1', family: 4 }]

describe('a name', () => {
  it('is looked for in the file of hosts first, then asked of the name servers', async () => {
    const resolve = createResolve({ ask: await ask({ hosts: '# mine\n10.0.0.7\tHooks.internal hooks # tab\nfd00::7 hooks.internal\n' }) })
    expect(await resolve('hooks.internal.')).toEqual([
      { address: '10.0.0.7', family: 4 },
      { address: 'fd00::7', family: 6 },
    ])
    expect(asked).toEqual([])
    expect(await resolve('good.example')).toEqual(GOOD)
    expect(await resolve('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }])
  })

  it('is asked for in the search domains, too, as the system does it', async () => {
    const resolve = createResolve({ ask: await ask({ resolvConf: 'nameserver 127.0.0.1\nsearch good.cluster.local other.local\n' }) })
    await expect(resolve('hooks')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(new Set(asked)).toEqual(new Set(['hooks.good.cluster.local', 'hooks.other.local', 'hooks']))
    expect(await resolve('good')).toEqual(GOOD)
  })

  it('whose name servers are silent fails in time', async () => {
    await expect(createResolve({ ask: await ask() })('silent.example')).rejects.toMatchObject({
      code: expect.stringMatching(/ETIMEOUT|ECANCELLED/),
    })
  })

  it('that failed is not asked for again for half a minute; one that was found is', async () => {
    let now = 0
    const resolve = createResolve({ ask: await ask(), clock: () => now })
    await expect(resolve('bad.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    const times = asked.length
    now = 29_999
    await expect(resolve('bad.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(asked).toHaveLength(times)
    now = 30_001
    await expect(resolve('bad.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    expect(asked.length).toBeGreaterThan(times)
    expect([await resolve('good.example'), await resolve('good.example')]).toEqual([GOOD, GOOD])
    expect(asked.filter((name) => name === 'good.example').length).toBeGreaterThan(2)
  })
})

describe('dead names of one owner', () => {
  it('are under way eight at a time, and hold up neither others nor the file of hosts', async () => {
    const resolve = createResolve({ ask: await ask({ timeoutMs: 60_000 }) })
    const dead = Array.from({ length: 64 }, (_, n) => resolve(`silent-${n}.example`, 'one'))
    void Promise.allSettled(dead)
    await expect.poll(() => new Set(asked).size).toBe(8)
    expect(await resolve('good.example', 'two')).toEqual(GOOD)
    expect(await resolve('localhost', 'two')).toEqual([{ address: '127.0.0.1', family: 4 }])
    expect(new Set(asked.filter((name) => name.startsWith('silent'))).size).toBe(8)
  })

  it('make room for the next ones as they fail; a name is asked for once at a time', async () => {
    const starts: string[] = []
    const failed = (name: string) => async () => {
      starts.push(name)
      await new Promise(setImmediate)
      throw new Error(name)
    }
    const resolve = createResolve({ ask: (name) => failed(name)() })
    const names = Array.from({ length: 30 }, (_, n) => `n${n % 20}`)
    const results = await Promise.allSettled(names.map((name) => resolve(name, 'one')))
    expect(results.map((result) => (result.status === 'rejected' ? (result.reason as Error).message : ''))).toEqual(names)
    expect(starts.toSorted((a, b) => a.localeCompare(b))).toEqual([...new Set(names)].toSorted((a, b) => a.localeCompare(b)))
  })
})
