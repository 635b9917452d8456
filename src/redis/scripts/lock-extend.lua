-- Holds on for another ttl, if the lock is still the token's.
-- KEYS     1 lock, see lock.lua
-- ARGV     1 token   2 ttl (ms)
-- Returns  1, or 0 if the lock was lost
-- include lock
local _, _, holder = parse(redis.call('GET', KEYS[1]))
if holder ~= ARGV[1] or time_left(KEYS[1]) == 0 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2] + AFTER)
