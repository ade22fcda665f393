import { API_URL, client } from '../api/client.ts'

/** Ends the session; the page is loaded again, so that nothing of it stays in memory. */
export async function signOut(): Promise<void> {
  await client.session.end()
  location.assign(`${API_URL}/sign-in`)
}
