-- Tells the others what a thread waits for, and hears what they do. Numbers go up with each call, also when the server has
-- forgotten everything: the last one and one more, or the time if that is later.
-- Threads are called on the channels on which their clients are woken, by '<thread> <number of this call> <why><this thread>'.
-- KEYS     1 hash: by thread '<ms until which it is believed> <its bulletin>', and the last number
-- ARGV     1 thread   2 bulletin, empty to take back the last one   3 ms for which it is believed
--          4... why a thread is called, and that thread: '?' it shall tell anew, '!' it has asked, and this is the answer
-- Returns  { number of this call, another thread, its bulletin, another one, its bulletin, ... }
local NUMBER = '#'
local waits, thread = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local number = math.max((tonumber(redis.call('HGET', waits, NUMBER)) or 0) + 1, time[1] * 1000000 + time[2])
local told = { string.format('%.0f', number) }
redis.call('HSET', waits, NUMBER, told[1])
if ARGV[2] == '' then
  redis.call('HDEL', waits, thread)
else
  redis.call('HSET', waits, thread, string.format('%.0f %s', now + ARGV[3], ARGV[2]))
end
local all = redis.call('HGETALL', waits)
for at = 1, #all, 2 do
  if all[at] ~= NUMBER and all[at] ~= thread then
    local alive, bulletin = string.match(all[at + 1], '^(%d+) (.*)$')
    if alive and tonumber(alive) > now then
      told[#told + 1] = all[at]
      told[#told + 1] = bulletin
    else
      redis.call('HDEL', waits, all[at])
    end
  end
end
redis.call('PEXPIRE', waits, math.max(ARGV[3], redis.call('PTTL', waits)))
for at = 4, #ARGV do
  local why, other = string.match(ARGV[at], '^(.)(.*)$')
  redis.call('PUBLISH', 'mortise:wake:' .. string.match(other, '^[^.]*'), other .. ' ' .. told[1] .. ' ' .. why .. thread)
end
return told
