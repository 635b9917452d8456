-- Who has a lock, and who waits. Changes nothing.
-- KEYS     1 lock, see lock-acquire.lua   2 queue   3 alive
-- Returns  { token or '', owner, since (ms), ms until it expires, how many wait }
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local waiters = redis.call('ZCOUNT', KEYS[3], string.format('(%.0f', now), '+inf')
local value = redis.call('GET', KEYS[1])
if not value then return { '', '', 0, 0, waiters } end
local token, till, fence, since, orphaned, queued, owner = cmsgpack.unpack(value)
if till <= now then return { '', '', 0, 0, waiters } end
return { token, owner, since, till - now, waiters }
