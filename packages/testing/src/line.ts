// A TCP proxy to a real Redis whose connections can die silently: a frozen connection stays open but transports nothing more, like one that a
// firewall has dropped. New connections work.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Line extends AsyncDisposable {
  readonly url: string
  /** Freezes open connections: those with a subscription, the others, or only Redis' replies to the others. Returns how many. */
  freeze(what: 'subscriptions' | 'commands' | 'answers'): number
}

interface Pair {
  readonly ends: readonly [Socket, Socket]
  isSubscribed: boolean
}

function join(from: Socket, to: Socket): void {
  from.on('error', () => undefined).once('close', () => to.destroy())
  from.pipe(to)
}

export async function openLine(port: number): Promise<Line> {
  const pairs: Pair[] = []
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1')
    const pair: Pair = { ends: [client, redis], isSubscribed: false }
    client.on('data', (data) => {
      pair.isSubscribed ||= /subscribe/i.test(data.toString('latin1'))
    })
    join(client, redis)
    join(redis, client)
    pairs.push(pair)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    freeze(what) {
      const open = pairs.filter(({ ends }) => ends.every((end) => !end.destroyed))
      const frozen = open.filter(({ isSubscribed }) => isSubscribed === (what === 'subscriptions'))
      for (const { ends } of frozen) for (const socket of what === 'answers' ? ends.slice(1) : ends) socket.unpipe().pause()
      return frozen.length
    },
    async [Symbol.asyncDispose]() {
      for (const socket of pairs.flatMap(({ ends }) => ends)) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
