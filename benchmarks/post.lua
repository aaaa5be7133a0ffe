-- Posts the lines of a file one after the other: wrk -s post.lua URL -- METHOD FILE; a line is path, tab, body.
local posts, next_post = {}, 0

function init(arguments)
  for line in io.lines(arguments[2]) do
    local path, body = line:match("^(.-)\t(.*)$")
    posts[#posts + 1] = wrk.format(arguments[1], path, nil, body)
  end
  math.randomseed(os.time())
  next_post = math.random(#posts)
end

function request()
  next_post = next_post % #posts + 1
  return posts[next_post]
end
