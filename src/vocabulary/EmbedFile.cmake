# Writes a .cc file with the bytes of a file behind a function: cmake -D IN= -D OUT= -D FUNCTION= -P
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include \"vocabulary/embedded_data.h\"

namespace whisper_s4y {

static constexpr unsigned char kBytes[] = {
${bytes}};

std::span<const unsigned char> ${FUNCTION}() { return kBytes; }

}  // namespace whisper_s4y
")
