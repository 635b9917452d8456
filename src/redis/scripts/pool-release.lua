-- Ends whatever the token has, permits or a place in the queue, and wakes all who can go on.
-- KEYS     1 pool, see pool.lua
-- ARGV     1 token
-- Returns  1 if permits were released, 0 if it held none
-- include queue
-- include pool
if not declared then return 0 end
-- Also what has expired, as long as nobody has taken it since. First of all, for a server whose memory is full: see
-- lock-release.lua.
local released = redis.call('ZREM', holders, ARGV[1])
if released == 1 then
  used = used - weight_of(ARGV[1])
else
  leave_queue(queue, alive, ARGV[1])
end
drop_expired()
wake_all_who_fit()
return released
