// The floor of HTTP: a Fastify that parses JSON and answers JSON, and nothing else. The port is its only argument.
import fastify from 'fastify'

const app = fastify()
app.post('/echo', (request, reply) => reply.send({ id: 'x', status: 'IN_QUEUE', size: Object.keys(request.body as object).length }))
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
