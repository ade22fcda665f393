// Opens a listener and says where it is. A taken port or a foreign address is one sentence, with how to mend it.
import type { FastifyInstance } from 'fastify'
import { RunyardError } from '@runyard/schema'

/** Resolves with the URL that was bound (port 0 picks a free one). @throws RunyardError('conflict') */
export async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }, setting: string): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    throw new RunyardError('conflict', explain((error as NodeJS.ErrnoException).code, { host, port, setting }), { cause: error })
  }
}

function explain(code: string | undefined, { host, port, setting }: { host: string; port: number; setting: string }): string {
  switch (code ?? 'unknown') {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is taken by another program: stop it, or set ${setting}.port to another port.`
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${host}: set ${setting}.host to one that it has.`
    case 'EACCES':
      return `Port ${port} needs more rights than this user has: set ${setting}.port to one above 1023.`
    default:
      return `Cannot listen on ${host}:${port} (${code ?? 'unknown error'}).`
  }
}
