// Finds free ports of this machine, just before use. If another process takes the port after that, the listener reports it.
import { createServer, type AddressInfo } from 'node:net'
import { systemCode, RunyardError } from '@runyard/schema'

interface Wanted {
  readonly host: string
  /** 0 picks one. */
  readonly port: number
  /** What helps where the port is the fault. */
  readonly mend: string
  /** The section of the configuration that has the host. */
  readonly section: 'listen' | 'workerPlane'
}

const FAULTS_OF_HOST: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'])

/** A port that is free now. @throws RunyardError with one sentence that says how to fix it. */
export async function claimPort({ host, port, mend, section }: Wanted): Promise<number> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
    return (server.address() as AddressInfo).port
  } catch (error) {
    const code = systemCode(error)
    const help = FAULTS_OF_HOST.has(code) ? `set ${section}.host to one` : mend
    throw new RunyardError('conflict', `${refusal(code, host, port)}; ${help}.`, { cause: error })
  } finally {
    server.close()
  }
}

function refusal(code: string | undefined, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is taken by another program`
  if (code === 'EACCES') return `Port ${port} on ${host} needs more permission than this user has`
  if (FAULTS_OF_HOST.has(code)) return `${host} is not an address of this machine`
  return `Port ${port} on ${host} cannot be opened (${code})`
}
