-- Ends a session. Called by `sessions.end`.
call('DEL', session)
publish(changed)
