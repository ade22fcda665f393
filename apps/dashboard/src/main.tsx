// Starts the page.
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api/queries.ts'
import { sessionQuery } from './api/session.ts'
import { applyTheme } from './app/preferences.ts'
import { router } from './app/router.tsx'
import './styles/tokens.css'
import './styles/base.css'

applyTheme()
const root = document.querySelector('#root')
if (root === null) throw new Error('the page has no place for its content')
// Asked while the code of the page comes, not after it. What `index.html` shows stays until there is something to show instead; chunks import this module,
// so it must not wait for them.
void queryClient.prefetchQuery(sessionQuery)
void router.load().finally(() =>
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  ),
)
