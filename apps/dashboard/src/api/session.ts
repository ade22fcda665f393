// Who is signed in. A one-time code in the address (`#c=…`, which no server and no log gets) becomes a session before anything else is asked.
import { queryOptions } from '@tanstack/react-query'
import { RunyardError } from '@runyard/schema/errors'
import { API_URL, client } from './client.ts'
import { SESSION_KEY } from './queries.ts'

const PATIENCE_MS = 12_000
const AGAIN_MS = 5000
const CODE = /^#c=([\w-]+)$/u

/** Kept until the gateway has answered: it is in no address any more, and a request that the network lost must not cost it. */
let code: string | undefined

function takeCode(): void {
  const [, found] = CODE.exec(location.hash) ?? []
  if (found === undefined) return
  code = found
  history.replaceState(history.state, '', location.pathname + location.search)
}

/** Null: no one is. */
export const sessionQuery = queryOptions({
  queryKey: SESSION_KEY,
  staleTime: Infinity,
  // Whoever waits for the first answer gets the gateway's own sentence as soon as there is one, and the page asks again until it is better.
  retry: false,
  refetchInterval: ({ state }) => (state.status === 'error' ? AGAIN_MS : false),
  queryFn: async () => {
    takeCode()
    if (code !== undefined) {
      await client.session.begin({ code }).catch(noteRefusal)
      code = undefined
    }
    return await Promise.race([client.session.read().catch(asNobody), outOfPatience()])
  },
})

/** A gateway that waits for Redis longer than this, or a network that lost the request. */
async function outOfPatience(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))
  throw new RunyardError('store_unavailable', 'The gateway does not say who is signed in: it does not answer, or waits for Redis.')
}

/** Why the code in the address began no session. */
let refusal: RunyardError | undefined

export const codeRefusal = (): RunyardError | undefined => refusal

/** A browser that has a session already needs no code. */
function noteRefusal(error: unknown): void {
  if (!(error instanceof RunyardError && error.code === 'unauthorized')) throw error
  refusal = error
}

function asNobody(error: unknown): null {
  if (error instanceof RunyardError && error.code === 'unauthorized') return null
  throw error
}

/** Ends the session; the page is loaded again, so that nothing of it stays in memory. */
export async function signOut(): Promise<void> {
  await client.session.end()
  location.assign(`${API_URL}/sign-in`)
}
