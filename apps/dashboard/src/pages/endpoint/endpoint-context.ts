import { createContext, use } from 'react'
import type { EndpointView } from '@runyard/schema/api'

export const EndpointContext = createContext<EndpointView | undefined>(undefined)

/** The endpoint of the page; its tabs are only drawn where there is one. */
export function useEndpoint(): EndpointView {
  const endpoint = use(EndpointContext)
  if (endpoint === undefined) throw new Error('a tab of an endpoint stands outside its page')
  return endpoint
}
