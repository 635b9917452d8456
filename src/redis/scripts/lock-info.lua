-- Who has a lock, and who waits. Changes nothing.
-- KEYS     1 lock, see lock.lua
-- Returns  { token or '', owner, since (ms), ms until it expires, how many wait }
-- include lock
-- include queue
local waiters = redis.call('ZCOUNT', KEYS[1] .. ':alive', string.format('(%.0f', server_time()), '+inf')
local _, _, token, since, owner = parse(redis.call('GET', KEYS[1]))
local left = time_left(KEYS[1])
if token == '' or left == 0 then return { '', '', 0, 0, waiters } end
return { token, owner, since, left, waiters }
