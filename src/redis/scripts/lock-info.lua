-- Who has a lock, and who waits. Changes nothing.
-- KEYS     1 lock, see lock-acquire.lua
-- Returns  { token or '', owner, since (ms), ms until it expires, how many wait }
-- include queue
local waiters = redis.call('ZCOUNT', KEYS[1] .. ':alive', string.format('(%.0f', server_time()), '+inf')
local value = redis.call('GET', KEYS[1])
if not value then return { '', '', 0, 0, waiters } end
local token, since, owner = string.match(value, '^(%S+) (%d+) (.-)[ !]*$')
return { token, owner, since, redis.call('PTTL', KEYS[1]), waiters }
