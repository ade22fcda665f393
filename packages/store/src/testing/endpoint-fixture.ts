// For tests: records of endpoints and templates.
import { DEFAULT_NOTES, type Endpoint, type Template } from '@runyard/schema'
import { endpointRecord, type EndpointChange } from '@runyard/testing/records'

export function endpoint(id: string, change: EndpointChange = {}): Endpoint {
  return endpointRecord(id, { name: `name of ${id}`, ...change })
}

export function template(id: string, image = 'image'): Template {
  return {
    id,
    name: `name of ${id}`,
    ownerId: 'owner',
    container: { image, args: '', env: {}, diskGb: null, ports: [], registryId: null },
    notes: { ...DEFAULT_NOTES, isServerless: true },
    createdAt: 1,
    updatedAt: 1,
  }
}
