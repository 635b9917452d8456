-- Holds on for another ttl, if the lock is still the token's.
-- KEYS     1 lock, see lock-acquire.lua
-- ARGV     1 token   2 ttl (ms)   3 ms to keep the key
-- Returns  1, or 0 if the lock was lost
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local token, till, fence, since, orphaned, queued, owner = cmsgpack.unpack(value)
if token ~= ARGV[1] or till <= now then return 0 end
redis.call('SET', KEYS[1], cmsgpack.pack(token, now + ARGV[2], fence, since, orphaned, queued, owner), 'PX', ARGV[3])
return 1
