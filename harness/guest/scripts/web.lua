-- A web application as heavy as its query says (/held?48: 48 MiB in each of Apache's processes).
-- It keeps that memory, fills it with what does not compress, and reads every page of it for each
-- answer, which is always of the same length.
local MIB, PAGE, NUMBER = 1048576, 4096, 32
local held

local function hold(mib)
    local random = assert(io.open("/dev/urandom", "rb"))
    local block = random:read(MIB - NUMBER)
    random:close()
    local parts = {}
    for n = 1, mib do
        parts[n] = string.format("%0" .. NUMBER .. "d", n) .. block
    end
    return parts
end

function handle(r)
    held = held or hold(tonumber(r.args))
    local sum = 0
    for _, part in ipairs(held) do
        for at = 1, #part, PAGE do
            sum = sum + part:byte(at)
        end
    end
    r.content_type = "text/plain"
    r:puts(string.format("%d MiB %016d\n", #held, sum))
    return apache2.OK
end
