// The tunnels that agents have opened to this gateway, by worker (ADR 69). A spare one is turned into a connection to a port of its worker by `open`;
// without a spare one, `open` waits for the next. Nothing here outlives its sockets.
import type { Socket } from 'node:net'
import { RunyardError } from '@runyard/schema'
import type { WorkerSession } from './worker-session.ts'

/** Of one worker, spare and in use. The agent opens no more by itself. */
const MOST_PER_WORKER = 256
/** Until the agent has connected to the port. */
const CONNECT_WITHIN_MS = 10_000
const CONNECTED = 0

export type Tunnels = ReturnType<typeof createTunnels>

interface Waiting {
  readonly take: (socket: Socket) => void
  readonly give: (error: Error) => void
}

interface Site {
  readonly session: WorkerSession
  readonly all: Set<Socket>
  /** The latest one last. */
  readonly spare: Socket[]
  readonly waiting: Set<Waiting>
}

export function createTunnels() {
  const sites = new Map<string, Site>()
  const listeners = new Set<(endpointId: string) => void>()
  const workers = createWorkerLists(sites)
  const changed = (endpointId: string): void => {
    workers.forget(endpointId)
    for (const listener of listeners) listener(endpointId)
  }

  return {
    /** False: the worker has as many as it may have. */
    hasRoom: (workerId: string): boolean => (sites.get(workerId)?.all.size ?? 0) < MOST_PER_WORKER,
    add(session: WorkerSession, socket: Socket) {
      const { workerId, endpointId } = session
      const site = siteOf(sites, session)
      session.tunnels += 1
      follow(site, socket, () => {
        session.tunnels -= 1
        if (site.all.size > 0) return
        sites.delete(workerId)
        for (const waiting of site.waiting) waiting.give(unreachable(workerId))
        changed(endpointId)
      })
      const [first] = site.waiting
      if (first === undefined) site.spare.push(socket)
      else first.take(socket)
      if (site.all.size === 1) changed(endpointId)
    },
    /** The worker has a tunnel here, so it is in rotation. */
    has: (workerId: string): boolean => sites.has(workerId),
    /** Workers of the endpoint with a tunnel here. */
    workersOf: workers.of,
    /** A connection to a port of the worker. It flows: a server speaks only when asked. @throws RunyardError('bad_gateway') if nothing listens there, or the worker opens no tunnel. */
    async open(workerId: string, port: number): Promise<Socket> {
      for (;;) {
        const site = sites.get(workerId)
        if (site === undefined) throw unreachable(workerId)
        const answer = await connectOver(site.spare.pop() ?? (await nextOf(site)), port)
        if (answer === 'refused') throw new RunyardError('bad_gateway', `nothing listens on port ${port} of worker ${workerId}`)
        // A spare tunnel of an agent that is gone: the next one shows whether the worker is.
        if (answer !== 'lost') return answer
      }
    },
    /** Calls back when a worker gets its first tunnel here, or has lost its last. */
    onChange(listener: (endpointId: string) => void) {
      listeners.add(listener)
    },
    [Symbol.dispose]() {
      for (const { all } of sites.values()) for (const socket of all) socket.destroy()
    },
  }
}

function siteOf(sites: Map<string, Site>, session: WorkerSession): Site {
  const known = sites.get(session.workerId)
  if (known !== undefined) return known
  const site: Site = { session, all: new Set(), spare: [], waiting: new Set() }
  sites.set(session.workerId, site)
  return site
}

/** The workers of each endpoint that was asked for since they last changed. */
function createWorkerLists(sites: ReadonlyMap<string, Site>) {
  const lists = new Map<string, readonly WorkerSession[]>()
  return {
    of: (endpointId: string): readonly WorkerSession[] => {
      const known = lists.get(endpointId)
      if (known !== undefined) return known
      const found = [...sites.values()].flatMap(({ session }) => (session.endpointId === endpointId ? [session] : []))
      if (found.length > 0) lists.set(endpointId, found)
      return found
    },
    forget: (endpointId: string): void => void lists.delete(endpointId),
  }
}

function unreachable(workerId: string): RunyardError {
  return new RunyardError('bad_gateway', `worker ${workerId} cannot be reached now`)
}

function follow(site: Site, socket: Socket, onGone: () => void): void {
  site.all.add(socket)
  socket.setTimeout(0).setNoDelay(true).setKeepAlive(true, 15_000)
  socket.on('error', () => socket.destroy())
  // Sockets of a server stay half open otherwise.
  socket.once('end', () => socket.end())
  socket.once('close', () => {
    site.all.delete(socket)
    const at = site.spare.indexOf(socket)
    if (at !== -1) site.spare.splice(at, 1)
    onGone()
  })
  socket.resume()
}

function nextOf(site: Site): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer)
      site.waiting.delete(waiting)
    }
    const waiting: Waiting = {
      take(socket) {
        done()
        resolve(socket)
      },
      give(error) {
        done()
        reject(error)
      },
    }
    const timer = setTimeout(
      () => waiting.give(new RunyardError('bad_gateway', 'the worker has too many connections open')),
      CONNECT_WITHIN_MS,
    )
    site.waiting.add(waiting)
  })
}

/** `lost`: the tunnel ended without an answer. */
function connectOver(socket: Socket, port: number): Promise<Socket | 'refused' | 'lost'> {
  return new Promise((resolve) => {
    const end = (result: Socket | 'refused' | 'lost'): void => {
      clearTimeout(timer)
      socket.off('data', read).off('close', lose)
      resolve(result)
    }
    const lose = (): void => end('lost')
    const read = (chunk: Buffer): void => {
      if (chunk[0] === CONNECTED) return end(socket)
      socket.destroy()
      end('refused')
    }
    const timer = setTimeout(() => socket.destroy(), CONNECT_WITHIN_MS)
    socket.on('data', read).on('close', lose)
    if (socket.destroyed) return lose()
    const name = Buffer.alloc(2)
    name.writeUInt16BE(port)
    socket.write(name)
  })
}
