// The load of all endpoints, as it comes over the page's stream: no request per endpoint.
import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import type { EndpointLoadView } from '@runyard/schema/api'
import { endpointsQuery, healthQuery } from './queries.ts'
import { useTopic } from './live.ts'

export type EndpointLoads = ReadonlyMap<string, EndpointLoadView>

const NONE: EndpointLoads = new Map()

/** By the endpoint's id; empty until the first state has come. What the page of an endpoint asks for is filled with it, too. */
export function useEndpointLoads(): EndpointLoads {
  const cache = useQueryClient()
  const [loads, setLoads] = useState(NONE)
  const hear = useCallback(
    (value: unknown) => {
      if (value === undefined) return
      const views = value as readonly EndpointLoadView[]
      for (const view of views) cache.setQueryData(healthQuery(view.id).queryKey, view)
      setLoads(new Map(views.map((view) => [view.id, view])))
      const listed = cache.getQueryData(endpointsQuery.queryKey)
      const isListed = listed?.length === views.length && views.every(({ id }) => listed.some((endpoint) => endpoint.id === id))
      if (!isListed) void cache.invalidateQueries({ queryKey: endpointsQuery.queryKey })
    },
    [cache],
  )
  useTopic('endpoints', hear)
  return loads
}
