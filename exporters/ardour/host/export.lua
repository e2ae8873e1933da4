AudioEngine:set_backend ("None (Dummy)", "", "")
session = load_session ([==[{folder}]==], [==[{name}]==])
assert (session)

-- The latency of a script is known once it has run, and an export that began before would not be aligned.
local function latencies ()
  local found = ""
  for route in session:get_routes ():iter () do
    found = found .. route:playback_latency (false) .. " "
  end
  return found
end
sleep (1)
local known, now = nil, latencies ()
while known ~= now do
  sleep (1)
  known, now = now, latencies ()
end

local export = session:simple_export ()
assert (export:set_preset ("6d697832-6461-4777-8000-000000000002"))
export:set_name ([==[{stem}]==])
export:set_folder ([==[{out}]==])
assert (export:run_export ())
print ("EXPORTED")
close_session ()
quit ()
