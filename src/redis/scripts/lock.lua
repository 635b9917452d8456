-- Put into the scripts of a lock where they say `include lock`. One key says who has it:
--   '<fence>'                                the lock is free
--   '<fence> <token> <since, ms> <owner>'    held; ' !' at the end if the holder before it ran out of time
-- with a 'q' before it if somebody may stand in the queue. It is gone when it was never used, or forgotten.
-- A hold's time is up when the key has no more than a day to live: so it is known who had it, and the fence.

-- Milliseconds for which the key outlives the time of its last hold.
local AFTER = 86400000

local function parse(value)
  if not value then return '', 0 end
  local mark, fence, token, since, owner, note = string.match(value, '^(q?)(%d+) ?(%S*) ?(%d*) ?(.-)( ?!?)$')
  if not fence then error('the key has another value than that of a lock') end
  return mark, tonumber(fence), token, since, owner, note == ' !'
end

-- Milliseconds until the time of the hold is up; 0 if it is.
local function time_left(lock)
  return math.max(0, redis.call('PTTL', lock) - AFTER)
end
