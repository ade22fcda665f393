// Who is signed in. A one-time code in the address (`#c=…`, which no server and no log gets) becomes a session before anything else is asked.
import { queryOptions } from '@tanstack/react-query'
import { RunyardError } from '@runyard/schema/errors'
import { client } from './client.ts'
import { SESSION_KEY } from './queries.ts'

const CODE = /^#c=([\w-]+)$/u

/** Null: nobody is. */
export const sessionQuery = queryOptions({
  queryKey: SESSION_KEY,
  staleTime: Infinity,
  queryFn: async () => {
    const [, code] = CODE.exec(location.hash) ?? []
    if (code !== undefined) {
      history.replaceState(history.state, '', location.pathname + location.search)
      await client.session.begin({ code }).catch(noteRefusal)
    }
    return await client.session.read().catch(asNobody)
  },
})

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
