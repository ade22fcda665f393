// Calls a load-balanced endpoint with what Node and browsers have built in: `lb-client.ts BASE`.
// Prints what it finds as one line of JSON.
const [base = ''] = process.argv.slice(2)
const key = process.env['RUNPOD_API_KEY'] ?? ''
const headers = { authorization: `Bearer ${key}` }

const posted = await fetch(`${base}/double`, {
  method: 'POST',
  headers: { ...headers, 'content-type': 'application/json' },
  body: '{"x":21}',
})
const fetched: unknown = await posted.json()

const streamed = await fetch(`${base}/stream`, { headers })
const chunks = (await streamed.text()).trim().split('\n\n')

/** Node's takes headers, too, unlike a browser's. */
const heard = await new Promise((resolve, reject) => {
  const talk = new WebSocket(`${base.replace(/^http/, 'ws')}/talk`, ['runyard', `runyard.bearer.${key}`])
  talk.addEventListener('open', () => talk.send('hello'))
  talk.addEventListener('message', ({ data }) => {
    resolve([String(data), talk.protocol])
    talk.close()
  })
  talk.addEventListener('error', () => reject(new Error('the WebSocket failed')))
})

process.stdout.write(`${JSON.stringify({ fetch: fetched, stream: chunks, socket: heard })}\n`)
