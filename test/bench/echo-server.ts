// The HTTP baseline: a Fastify server that parses and returns JSON, and nothing else. Its only argument is the port.
import fastify from 'fastify'

const app = fastify()
app.post('/echo', (request, reply) => reply.send({ id: 'x', status: 'IN_QUEUE', size: Object.keys(request.body as object).length }))
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
