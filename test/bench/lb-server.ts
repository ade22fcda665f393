// The server behind a load-balanced endpoint in the benchmark: on $PORT, or behind the bare reverse proxy (argument `proxy PORT`), which forwards to it
// over kept connections and does nothing else.
import { Agent, createServer, request } from 'node:http'

const [mode, upstream] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })

const server =
  mode === 'proxy'
    ? createServer((incoming, response) => {
        const { method = 'GET', url: path = '/', headers } = incoming
        const sent = request({ host: '127.0.0.1', port: Number(upstream), method, path, headers, agent }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        })
        sent.on('error', () => response.destroy())
        incoming.pipe(sent)
      })
    : createServer((incoming, response) => {
        incoming
          .resume()
          .once('end', () => response.writeHead(200, { 'content-type': 'application/json', 'content-length': 11 }).end('{"ok":true}'))
      })
server.keepAliveTimeout = 60_000
server.listen(Number(process.env['PORT']), '127.0.0.1')
