// The load of all endpoints, as it comes over the page's stream: no request per endpoint.
import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useCallback, useRef, useState } from 'react'
import type { EndpointLoadView } from '@runyard/schema/api'
import { endpointsQuery, healthQuery, noticesQuery } from './queries.ts'
import { useTopic } from './live.ts'

export type EndpointLoads = ReadonlyMap<string, EndpointLoadView>

const NONE: EndpointLoads = new Map()

type Loads = readonly EndpointLoadView[]

const listOf = (loads: Loads): string => loads.map(({ id, name, revision }) => `${id} ${name} ${revision}`).join()
const messagesOf = (loads: Loads): string => loads.map(({ message }) => message).join()

/** `before`: what the stream said before; undefined: nothing yet, and the list may be older than the stream. */
function askForWhatChanged(cache: QueryClient, before: Loads | undefined, now: Loads): void {
  const { queryKey } = endpointsQuery
  const listed = cache.getQueryData(queryKey)
  const isListed = before === undefined ? listed === undefined || listed.length === now.length : listOf(before) === listOf(now)
  if (!isListed) void cache.invalidateQueries({ queryKey })
  if (before !== undefined && messagesOf(before) !== messagesOf(now)) void cache.invalidateQueries({ queryKey: noticesQuery.queryKey })
}

/**
 * By the endpoint's id; empty until the first state has come. It also fills what the page of an endpoint asks for. The list of endpoints is asked for again
 * when one of them has changed, and the notices when a reason has, so no page needs to look for changes.
 */
export function useEndpointLoads(): EndpointLoads {
  const cache = useQueryClient()
  const [loads, setLoads] = useState(NONE)
  const last = useRef<Loads>(undefined)
  const hear = useCallback(
    (value: unknown) => {
      if (value === undefined) return
      const views = value as Loads
      for (const view of views) cache.setQueryData(healthQuery(view.id).queryKey, view)
      setLoads(new Map(views.map((view) => [view.id, view])))
      askForWhatChanged(cache, last.current, views)
      last.current = views
    },
    [cache],
  )
  useTopic('endpoints', hear)
  return loads
}
