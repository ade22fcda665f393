// `/healthz`: the process lives, and whether it is connected to Redis; costs nothing. `/readyz`: it can also do its work, else 503 with one
// sentence per problem; how far Redis is from its ceiling.
import type { FastifyInstance } from 'fastify'
import type { Store } from '@runyard/store'
import { open } from '../http/access.ts'

export function registerProbes(app: FastifyInstance, { store }: { store: Store }): void {
  app.get('/healthz', { config: { access: open } }, () => ({ ok: true, redis: store.isUp() ? 'up' : 'away' }))
  app.get('/readyz', { config: { access: open } }, async (_request, reply) => {
    const problems = store.isUp() ? (await store.problems()).map(({ message }) => message) : ['Redis cannot be reached']
    if (problems.length === 0) return { ok: true, redisMemory: await store.redisMemory().catch(() => undefined) }
    return reply.code(503).send({ ok: false, error: problems.join('; '), problems })
  })
}
