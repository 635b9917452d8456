-- Raises the fence of a lock that the token holds, so that the next one is larger: of the servers that together make a
-- lock, the next majority knows at least one that was told.
-- KEYS     1 lock, see lock-acquire.lua
-- ARGV     1 token   2 fence
-- Returns  1, or 0 if the lock is not the token's
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
local token, till, fence, since, orphaned, queued, owner = cmsgpack.unpack(value)
if token ~= ARGV[1] then return 0 end
fence = math.max(fence, tonumber(ARGV[2]))
redis.call('SET', KEYS[1], cmsgpack.pack(token, till, fence, since, orphaned, queued, owner), 'KEEPTTL')
return 1
