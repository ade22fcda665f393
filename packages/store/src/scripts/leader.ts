// The leader's lease: one hash with an expiry, and beside it the latest term that was given out.
import type { Script } from './script.ts'

/**
 * KEYS: leader, term. ARGV: owner, ttlMs, facts (JSON), own term or 0 → { 1, term } for who holds the lease now, else { 0, facts, ms left, owner }.
 * Who finds its own lease run out and no later term given keeps its term. Terms are times, so that they also grow over a Redis that was
 * emptied or restored. The first write of a script decides whether Redis refuses it for want of memory: here it is one that never is, since the
 * leader's sweeps are what makes room.
 */
export const HOLD_LEADER: Script = {
  name: 'runyardHoldLeader',
  keys: 2,
  lua: `
local owner, term, facts = unpack(redis.call('HMGET', KEYS[1], 'owner', 'term', 'facts'))
if owner and owner ~= ARGV[1] then return { 0, facts, redis.call('PTTL', KEYS[1]), owner } end
if not owner then
  redis.call('DEL', KEYS[1])
  local latest, time = tonumber(redis.call('GET', KEYS[2]) or '0'), redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local isOwn = latest > 0 and latest == tonumber(ARGV[4])
  term = string.format('%.0f', isOwn and latest or math.max(latest + 1, now))
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'term', term, 'facts', ARGV[3])
  redis.call('SET', KEYS[2], term)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { 1, term }
`,
}

/** KEYS: leader. ARGV: owner → 1 if it was the leader */
export const RELEASE_LEADER: Script = {
  name: 'runyardReleaseLeader',
  keys: 1,
  lua: `
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`,
}

/**
 * KEYS: cards. ARGV: holder, number of cards, cards…, holders whose claims are void… → those who hold one of the cards; where none does, all
 * are this holder's afterwards.
 */
export const CLAIM_CARDS: Script = {
  name: 'runyardClaimCards',
  keys: 1,
  lua: `
local last, void, others = 2 + tonumber(ARGV[2]), {}, {}
for at = last + 1, #ARGV do void[ARGV[at]] = true end
for at = 3, last do
  local holder = redis.call('HGET', KEYS[1], ARGV[at])
  if holder and holder ~= ARGV[1] and not void[holder] then others[#others + 1] = holder end
end
if #others > 0 then return others end
for at = 3, last do redis.call('HSET', KEYS[1], ARGV[at], ARGV[1]) end
return {}
`,
}

/** KEYS: cards. ARGV: holder, cards… → how many it let go */
export const FREE_CARDS: Script = {
  name: 'runyardFreeCards',
  keys: 1,
  lua: `
local freed = 0
for at = 2, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[1] then freed = freed + redis.call('HDEL', KEYS[1], ARGV[at]) end
end
return freed
`,
}
