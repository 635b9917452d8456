-- How a pool stands. Changes nothing.
-- KEYS     1 pool, see pool.lua
-- Returns  { permits or 0 if it is not known, used, holders, ms until all have expired, how many wait, owner of all
--          permits or '', since (ms) }
-- include queue
-- include pool
local after_now = string.format('(%.0f', now)
local living = redis.call('ZRANGEBYSCORE', holders, after_now, '+inf', 'WITHSCORES')
local taken, left, owner, since = 0, 0, '', 0
for place = 1, #living, 2 do
  taken = taken + weight_of(living[place])
  left = living[place + 1] - now
  if weight_of(living[place]) == declared then
    owner, since = unpack(redis.call('HMGET', pool, 'owner', 'since'))
  end
end
local waiters = redis.call('ZCOUNT', alive, after_now, '+inf')
return { permits or 0, taken, #living / 2, left, waiters, owner, tonumber(since) }
