// Finds free ports of this machine, just before use. If another process takes the port after that, the listener reports it.
import { createServer, type AddressInfo } from 'node:net'
import { systemCode, RunyardError } from '@runyard/schema'

/** A port that is free now; `wanted` 0 picks one. @throws RunyardError with one sentence that says how to fix it. */
export async function claimPort(listener: { host: string; port: number; mend: string }): Promise<number> {
  const { host, port, mend } = listener
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, exclusive: true }, resolve)
    })
    return (server.address() as AddressInfo).port
  } catch (error) {
    throw new RunyardError('conflict', `${refusal(systemCode(error), host, port)}; ${mend}.`, { cause: error })
  } finally {
    server.close()
  }
}

function refusal(code: string | undefined, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is taken by another program`
  if (code === 'EACCES') return `Port ${port} on ${host} needs more permission than this user has`
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine`
  return `Port ${port} on ${host} cannot be opened (${code})`
}
