-- Ends whatever the token has: the lock, whose next one is woken, or a place in the queue.
-- KEYS     1 lock, see lock-acquire.lua   2 queue   3 alive
-- ARGV     1 token
-- Returns  1 if the lock was released, 0 if it was not this token's
local value = redis.call('GET', KEYS[1])
if not value then return 0 end
local token, till, fence, since, orphaned, queued = cmsgpack.unpack(value)

local function put_free(queued)
  redis.call('SET', KEYS[1], cmsgpack.pack('', 0, fence, 0, 0, queued, ''), 'KEEPTTL')
end

local released = token == ARGV[1]
if queued == 0 then
  if not released then return 0 end
  put_free(0)
  return 1
end

-- include queue
local queue, alive = KEYS[2], KEYS[3]
if not released and not leave_queue(queue, alive, ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local head = first(queue, alive, now)
if released then put_free(head and 1 or 0) end
if head and (released or till <= now) then wake(alive, head, now) end
return released and 1 or 0
