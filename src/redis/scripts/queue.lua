-- Put into the scripts of a lock where they say `include queue`. The queue of those who wait, first come first served:
--   queue  list of tokens in the order in which they came
--   alive  sorted set of the same tokens; the score is the server's time in ms until which each counts as living
-- A token is <client>.<number>.<weight>; a client listens on the channel mortise:wake:<client>.

-- Milliseconds for which a waiter that does not look again is taken for alive; it looks every second.
local PATIENCE = 3000
-- The same for one that has been told that its turn has come.
local GRACE = 1000

-- The server's time in milliseconds.
local function server_time()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Is it taken for alive? A time that is farther away than any was set before the clock went back: as it was, the dead
-- would live on for as long as that.
local function lives(alive, token, now)
  local till = tonumber(redis.call('ZSCORE', alive, token) or 0)
  if till > now + PATIENCE then redis.call('ZADD', alive, now + PATIENCE, token) end
  return till > now
end

-- The first of the queue who lives, or nil. The dead before it are dropped.
local function first(queue, alive, now)
  while true do
    local token = redis.call('LINDEX', queue, 0)
    if not token then return nil end
    if lives(alive, token, now) then return token end
    redis.call('LPOP', queue)
    redis.call('ZREM', alive, token)
  end
end

-- Waits from now on, or still. Both keys go by themselves when the last one who waits is dead.
local function stand_in_queue(queue, alive, token, now)
  -- A server that is short of memory may have evicted the list alone: nobody stands in it then, whatever the other says.
  if redis.call('EXISTS', queue) == 0 then redis.call('DEL', alive) end
  if redis.call('ZADD', alive, now + PATIENCE, token) == 1 then redis.call('RPUSH', queue, token) end
  redis.call('PEXPIRE', queue, PATIENCE)
  redis.call('PEXPIRE', alive, PATIENCE)
end

-- True if it stood in the queue.
local function leave_queue(queue, alive, token)
  if redis.call('ZREM', alive, token) == 0 then return false end
  redis.call('LREM', queue, 1, token)
  return true
end

-- Says that its turn has come, once.
local function wake(alive, token, now)
  if tonumber(redis.call('ZSCORE', alive, token)) <= now + GRACE then return end
  redis.call('ZADD', alive, now + GRACE, token)
  redis.call('PUBLISH', 'mortise:wake:' .. string.match(token, '^[^.]*'), token)
end
