-- Holds on for another ttl, if the lock is still the token's.
-- KEYS     1 lock, see lock-acquire.lua
-- ARGV     1 token   2 ttl (ms)
-- Returns  1, or 0 if the lock was lost
local value = redis.call('GET', KEYS[1])
if not value or string.sub(value, 1, #ARGV[1] + 1) ~= ARGV[1] .. ' ' then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
