// Who is signed in. A one-time code in the address (`#c=…`, which no server and no log gets) becomes a session before anything else is asked.
import { queryOptions } from '@tanstack/react-query'
import { RunyardError } from '@runyard/schema/errors'
import { client } from './client.ts'

const CODE = /^#c=([\w-]+)$/u

/** Null: nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Infinity,
  queryFn: async () => {
    const [, code] = CODE.exec(location.hash) ?? []
    if (code !== undefined) {
      history.replaceState(history.state, '', location.pathname + location.search)
      await client.session.begin({ code })
    }
    return await client.session.read().catch(asNobody)
  },
})

function asNobody(error: unknown): null {
  if (error instanceof RunyardError && error.code === 'unauthorized') return null
  throw error
}
