// What crosses the public listener, each shape once: the gateway validates with them, clients take their types from here, and the OpenAPI
// document is generated from them (ADR 47). Apart from the package's main entry, because an agent needs none of it when it starts.
export * from './catalog.ts'
export * from './endpoints.ts'
export * from './jobs.ts'
export * from './registries.ts'
export * from './rest-v1.ts'
export * from './shared.ts'
export * from './templates.ts'
export * from './usage.ts'
export * from './webhooks.ts'
export * from './workers.ts'
