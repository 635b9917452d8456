-- Ends whatever the token has, permits or a place in the queue, and wakes all who can go on.
-- KEYS     1 pool, see pool.lua
-- ARGV     1 token
-- Returns  1 if permits were released, 0 if it held none
-- include queue
-- include pool
if not declared then return 0 end
drop_expired()
local released = redis.call('ZREM', holders, ARGV[1])
if released == 1 then
  used = used - weight_of(ARGV[1])
  redis.call('HSET', pool, 'used', used)
else
  leave_queue(queue, alive, ARGV[1])
end
wake_all_who_fit()
return released
