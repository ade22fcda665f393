// The route that all others are below.
import { createRootRoute } from '@tanstack/react-router'
import { FaultPage } from './fault-page.tsx'
import { NotFoundPage } from './not-found.tsx'
import { readRange } from './range.ts'
import { Shell } from './shell.tsx'

export const rootRoute = createRootRoute({
  validateSearch: readRange,
  component: Shell,
  notFoundComponent: NotFoundPage,
  errorComponent: FaultPage,
})
