-- Raises the fence of a lock that the token holds, so that the next one is larger: of the servers that together make a
-- lock, the next majority knows at least one that was told.
-- KEYS     1 lock, see lock.lua
-- ARGV     1 token   2 fence
-- Returns  1, or 0 if the lock is not the token's
-- include lock
local lock = KEYS[1]
local value = redis.call('GET', lock)
local mark, fence, holder = parse(value)
if holder ~= ARGV[1] or time_left(lock) == 0 then return 0 end
if fence < tonumber(ARGV[2]) then
  redis.call('SET', lock, mark .. ARGV[2] .. string.match(value, ' .*'), 'KEEPTTL')
end
return 1
