# What Doxygen reads of a header: plain comments become documentation, so that headers need no more
# marks than a reader does. The first comment is the file's; one behind a member is the member's.
function trailing(line, at) {
  at = match(line, /[;,] *\/\/ ?/)
  return at == 0 ? "" : substr(line, 1, RSTART) " ///< " substr(line, RSTART + RLENGTH)
}

NR == 1 && /^\/[\/*]/ { in_head = 1; print "/** \\file" }
in_head && !/^(\/\/|\/\*| \*($| ))/ {
  end_code()
  in_head = 0
  print "*/"
  if (/^ \*\//) next
}
in_head {
  sub(/^(\/\/|\/\*| \*) ?/, "")
  if (/^ / && (in_code || above == "")) {  # code, no line of a list
    if (!in_code) print "\\code{.cpp}"
    in_code = 1
  } else {
    end_code()
  }
  print
  above = $0
  next
}
function end_code() {
  if (in_code) print "\\endcode"
  in_code = 0
}

/^ *\/\/\// || /^ *\/\*/ { follows = 0; print; next }
follows && /^ *\/\/ / { sub(/\/\/ /, "///< "); print; next }
{
  line = trailing($0)
  follows = line != ""
  print follows ? line : $0
}
