-- Raises the fence of a lock that the token holds, so that the next one is larger: of the servers that together make a
-- lock, the next majority knows at least one that was told.
-- KEYS     1 lock, see lock-acquire.lua
-- ARGV     1 token   2 fence, odd
-- Returns  1, or 0 if the lock is not the token's
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then return 0 end
local fence = KEYS[1] .. ':fence'
local number = tonumber(redis.call('GET', fence) or 0)
if number < tonumber(ARGV[2]) then redis.call('SET', fence, ARGV[2], 'EX', 86400) end
return 1
