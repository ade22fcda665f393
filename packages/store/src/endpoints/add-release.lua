-- Adds a release in front of the others of its endpoint, which are cut. Called by `releases.add`.
if call('EXISTS', forgotten) == 1 then return end
call('LPUSH', releases, record)
call('LTRIM', releases, 0, most - 1)
