// Matches forked children with the connections they open and the exits that the supervisor reports. A generation is used once.
import type { Socket } from 'node:net'
import type { ChildExit } from './exit-message.ts'
import { createFrameDecoder, encodeFrameHead, type Frame } from './frames.ts'

/** A forked Python process that is connected and waits for a job. */
export interface RunnerChild {
  readonly generation: number
  /** How many jobs it runs at a time. */
  readonly slots: number
  send(header: Record<string, unknown>, body: Buffer): void
  /** Frames of this job, and those of none. Until `forget`, or until the next job where the child runs one at a time. */
  onFrame(jobId: string, listener: (frame: Frame) => void): void
  forget(jobId: string): void
  readonly exited: Promise<ChildExit>
  readonly hasExited: () => boolean
}

export type ChildRegistry = ReturnType<typeof createChildRegistry>

interface Expected {
  readonly exited: PromiseWithResolvers<ChildExit>
  readonly connected: PromiseWithResolvers<RunnerChild>
}

export function createChildRegistry() {
  const children = new Map<number, Expected>()
  const markExited = (generation: number, exit: ChildExit) => {
    const child = children.get(generation)
    children.delete(generation)
    child?.exited.resolve(exit)
    child?.connected.reject(new Error('the Python runner ended before it was ready; its last output is in the worker’s log'))
  }
  return {
    /** @throws Error with one sentence if the child ends before it is connected. */
    async expect(generation: number): Promise<RunnerChild> {
      const child: Expected = { exited: Promise.withResolvers(), connected: Promise.withResolvers() }
      children.set(generation, child)
      return child.connected.promise
    },
    accept(socket: Socket) {
      let serve: ((frame: Frame) => void) | undefined
      const greet = (frame: Frame) => {
        const generation = frame.header.kind === 'hello' ? Number(frame.header.generation) : Number.NaN
        const child = children.get(generation)
        if (child === undefined) {
          socket.destroy()
          return
        }
        const listeners = new Map<string, (frame: Frame) => void>()
        serve = (next) => {
          const { id } = next.header
          for (const listener of typeof id === 'string' ? [listeners.get(id)] : listeners.values()) listener?.(next)
        }
        const slots = Number(frame.header.slots)
        const hasExited = () => !children.has(generation)
        child.connected.resolve(toRunnerChild(socket, { generation, slots, listeners, exited: child.exited.promise, hasExited }))
      }
      socket.on('error', () => undefined)
      socket.on(
        'data',
        createFrameDecoder((frame) => (serve ?? greet)(frame)),
      )
    },
    markExited,
    markAllLost() {
      for (const generation of children.keys()) markExited(generation, { exitCode: null, signal: null, supervisorLost: true })
    },
  }
}

interface Wiring extends Pick<RunnerChild, 'generation' | 'slots' | 'exited' | 'hasExited'> {
  readonly listeners: Map<string, (frame: Frame) => void>
}

function toRunnerChild(socket: Socket, { listeners, ...child }: Wiring): RunnerChild {
  return {
    ...child,
    send(header, body) {
      socket.cork()
      socket.write(encodeFrameHead(header, body.length))
      if (body.length > 0) socket.write(body)
      socket.uncork()
    },
    onFrame(jobId, listener) {
      if (child.slots === 1) listeners.clear()
      listeners.set(jobId, listener)
    },
    forget: (jobId) => void listeners.delete(jobId),
  }
}
