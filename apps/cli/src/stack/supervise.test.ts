import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { directory as root, it } from '@runyard/testing/directory'
import { supervise, type ChildSpec } from './supervise.ts'

/** A Node child that runs `body`, and its messages over the channel. */
function probe(body: string, more: Partial<ChildSpec> = {}) {
  const messages: unknown[] = []
  const waiting: (() => void)[] = []
  const spec: ChildSpec = {
    name: 'probe',
    command: process.execPath,
    args: ['-e', body],
    env: process.env,
    logFile: join(root, 'probe.log'),
    graceMs: 5000,
    onMessage: (message) => {
      messages.push(message)
      for (const wake of waiting) wake()
    },
    ...more,
  }
  const heard = async (count: number): Promise<void> => {
    while (messages.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return { spec, messages, heard }
}

const STAYS = `process.send(process.pid); setInterval(() => {}, 1e6); process.on('disconnect', () => process.exit())`

describe('supervise', () => {
  it('restarts a process that dies', async () => {
    const { spec, messages, heard } = probe(STAYS)
    const news: string[] = []
    await using part = await supervise(spec, (line) => news.push(line))
    await heard(1)
    part.markUp()
    process.kill(messages[0] as number, 'SIGKILL')
    await heard(2)
    expect(messages[1]).toBe(part.pid())
    expect(messages[1]).not.toBe(messages[0])
    expect(news).toEqual(['probe died (SIGKILL) and is started again'])
  })

  it('reports the last output of a process that dies before it is up, and does not restart it', async () => {
    const { spec } = probe(`process.stderr.write('Port 1 is taken.\\n'); process.exit(1)`)
    await using part = await supervise(spec, () => {})
    await expect(part.failed).rejects.toThrow('Port 1 is taken.')
    expect(await readFile(spec.logFile, 'utf8')).toBe('Port 1 is taken.\n')
  })

  it('names the log of a process that dies without output', async () => {
    const { spec } = probe('process.exit(3)')
    await using part = await supervise(spec, () => {})
    await expect(part.failed).rejects.toThrow(`probe ended at once (exit code 3); its log is ${spec.logFile}`)
  })

  it('does not restart a process that reports that a restart does not help', async () => {
    const { spec, heard } = probe(`${STAYS}; setTimeout(() => { process.stderr.write('The data is newer.\\n'); process.exit(3) }, 300)`)
    const news: string[] = []
    await using part = await supervise(spec, (line) => news.push(line))
    await heard(1)
    part.markUp()
    await expect(part.failed).rejects.toThrow('The data is newer.')
    expect(news).toEqual([])
  })

  it('kills a process that does not end within its grace period', async () => {
    const { spec, messages, heard } = probe(`process.on('SIGTERM', () => {}); ${STAYS}`, { graceMs: 50 })
    const part = await supervise(spec, () => {})
    await heard(1)
    await part[Symbol.asyncDispose]()
    expect(() => process.kill(messages[0] as number, 0)).toThrow('ESRCH')
  })
})
