-- Posts the lines of a file one after the other: wrk -s post.lua URL -- METHOD FILE; a line is path, tab, body.
local posts, next_post = {}, 0

function init(arguments)
  local method, file = arguments[#arguments - 1], arguments[#arguments]
  for line in io.lines(file) do
    local path, body = line:match("^(.-)\t(.*)$")
    posts[#posts + 1] = wrk.format(method, path, nil, body)
  end
  math.randomseed(os.time())
  next_post = math.random(#posts)
end

function request()
  next_post = next_post % #posts + 1
  return posts[next_post]
end
