// The key is sent once and becomes a session; the page keeps it nowhere.
import { useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState, type SubmitEvent } from 'react'
import { API_URL, client } from '../../api/client.ts'
import { codeRefusal } from '../../api/session.ts'
import { Problem } from '../../ui/problem.tsx'
import styles from './sign-in-page.module.css'

const route = getRouteApi('/sign-in')

export function SignInPage() {
  const { next = '/' } = route.useSearch()
  const [key, setKey] = useState('')
  const signIn = useMutation({
    mutationFn: () => client.session.begin({ key: key.trim() }),
    // Loaded again, so that no answer for another key stays.
    onSuccess: () => location.assign(API_URL + next),
  })
  const fault = signIn.error ?? (signIn.isIdle ? codeRefusal() : undefined)
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    signIn.mutate()
  }
  return (
    <div className={styles.page}>
      <h1>Sign in</h1>
      <p>
        <code>runyard open</code> on the machine of the gateway signs you in without a key.
      </p>
      <form onSubmit={submit} className={styles.form}>
        <label htmlFor="key">
          API key, as <code>runyard key</code> prints it
        </label>
        <input id="key" type="password" required autoComplete="off" value={key} onChange={(event) => setKey(event.target.value)} />
        <button type="submit" disabled={signIn.isPending}>
          Sign in
        </button>
      </form>
      {fault && <Problem error={fault} />}
    </div>
  )
}
