// Matches forked children with the connections they open and the exits that the supervisor reports. A generation is used once.
import type { Socket } from 'node:net'
import type { ChildExit } from './exit-message.ts'
import { createFrameDecoder, encodeFrameHead } from './frames.ts'
import type { Frame } from './frames.ts'

/** A forked Python process that is connected and waits for a job. */
export interface RunnerChild {
  readonly generation: number
  send(header: Record<string, unknown>, body: Buffer): void
  /** One listener at a time: the job that the child works on. */
  onFrame(listener: (frame: Frame) => void): void
  readonly exited: Promise<ChildExit>
  readonly hasExited: () => boolean
}

export interface ChildRegistry {
  /** @throws Error with one sentence if the child ends before it is connected. */
  expect(generation: number): Promise<RunnerChild>
  accept(socket: Socket): void
  markExited(generation: number, exit: ChildExit): void
  markAllLost(): void
}

interface Expected {
  readonly exited: PromiseWithResolvers<ChildExit>
  readonly connected: PromiseWithResolvers<RunnerChild>
}

export function createChildRegistry(): ChildRegistry {
  const children = new Map<number, Expected>()
  const markExited = (generation: number, exit: ChildExit) => {
    const child = children.get(generation)
    children.delete(generation)
    child?.exited.resolve(exit)
    child?.connected.reject(new Error('the Python runner ended before it was ready; its last output is in the worker’s log'))
  }
  return {
    async expect(generation) {
      const child: Expected = { exited: Promise.withResolvers(), connected: Promise.withResolvers() }
      children.set(generation, child)
      return child.connected.promise
    },
    accept(socket) {
      let listener: ((frame: Frame) => void) | undefined
      const greet = (frame: Frame) => {
        const generation = frame.header.kind === 'hello' ? Number(frame.header.generation) : Number.NaN
        const child = children.get(generation)
        if (child === undefined) {
          socket.destroy()
          return
        }
        const setListener = (next: (frame: Frame) => void) => {
          listener = next
        }
        listener = () => undefined
        child.connected.resolve(
          toRunnerChild(socket, generation, { setListener, exited: child.exited.promise, hasExited: () => !children.has(generation) }),
        )
      }
      socket.on('error', () => undefined)
      socket.on(
        'data',
        createFrameDecoder((frame) => (listener ?? greet)(frame)),
      )
    },
    markExited,
    markAllLost() {
      for (const generation of children.keys()) markExited(generation, { exitCode: null, signal: null, supervisorLost: true })
    },
  }
}

interface Wiring {
  readonly setListener: (listener: (frame: Frame) => void) => void
  readonly exited: Promise<ChildExit>
  readonly hasExited: () => boolean
}

function toRunnerChild(socket: Socket, generation: number, wiring: Wiring): RunnerChild {
  return {
    generation,
    send(header, body) {
      socket.cork()
      socket.write(encodeFrameHead(header, body.length))
      if (body.length > 0) socket.write(body)
      socket.uncork()
    },
    onFrame: wiring.setListener,
    exited: wiring.exited,
    hasExited: wiring.hasExited,
  }
}
