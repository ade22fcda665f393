// The order of events between agent and child, with a child whose frames the test sends itself.
import { describe, expect, it } from 'vitest'
import type { Frame } from './frames.ts'
import type { OutputPipe } from './output-pipe.ts'
import { createRunner } from './runner.ts'

function scriptedRunner() {
  const steps: string[] = []
  let listener: (frame: Frame) => void = () => undefined
  const output: OutputPipe = {
    beginCapture: (jobId) => steps.push(`begin ${jobId}`),
    endCapture: async (jobId) => {
      steps.push(`end ${jobId}`)
      return ''
    },
    follow: (path) => steps.push(`follow ${path}`),
    followFirst: () => undefined,
    [Symbol.dispose]: () => undefined,
  }
  const child = {
    generation: 1,
    send: () => steps.push('job sent'),
    slots: 1,
    forget: () => undefined,
    onFrame: (_jobId: string, next: (frame: Frame) => void) => {
      listener = next
    },
    exited: new Promise<never>(() => undefined),
    hasExited: () => false,
  }
  const supervisor = {
    pythonVersion: '3.11',
    output,
    isAlive: () => true,
    fork: async () => child,
    boardOf: () => ({ phase: 'working', threadsLeft: false }) as const,
    kill: async () => undefined,
    takeOn: () => undefined,
    discard: async () => undefined,
    end: async () => undefined,
  }
  const supply = { get: async () => ({ supervisor, child }), replace: () => undefined, end: async () => undefined }
  const runner = createRunner(supply, { envelope: 'json', memoryBytes: undefined, preloads: false })
  const run = async (id: string) => {
    const job = { id, raw: Buffer.from('{}'), format: 'json' }
    await runner.run(job, { postChunk: async () => undefined, signal: new AbortController().signal })
    steps.push(`answered ${id}`)
  }
  const frame = (header: Record<string, unknown>) => listener({ header, body: Buffer.from('{}') })
  return { steps, run, frame }
}

describe('a job that left processes', () => {
  it('is over for the agent once the child has changed its pipe, so that no later job gets their output', async () => {
    const { steps, run, frame } = scriptedRunner()
    const running = run('a')
    await expect.poll(() => steps).toContain('job sent')
    frame({ kind: 'done', id: 'a', pipeFollows: true })
    await expect.poll(() => steps).toContain('end a')
    await new Promise((resolve) => setImmediate(resolve))
    frame({ kind: 'output', path: '/next' })
    await running
    expect(steps).toEqual(['begin a', 'job sent', 'end a', 'follow /next', 'answered a'])
  })
})
