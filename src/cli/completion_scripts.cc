#include "cli/completion_scripts.h"

namespace whisper_s4y {
namespace {

// All three hand the words up to the cursor to `whisper-s4y complete`. It answers with a line for
// each value, a tab and what it means; ":files" with extensions, or ":folders", stand for paths.

constexpr std::string_view kBash = R"bash(# Completion of whisper-s4y for bash.
_whisper_s4y() {
  local -a words=()
  local i word joins= value help files= extensions= folders=
  for ((i = 1; i <= COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    # bash takes --name=value for three words.
    if [[ $word == = && ${#words[@]} -gt 0 ]]; then
      words[-1]+==
      joins=1
    elif [[ $joins ]]; then
      words[-1]+=$word
      joins=
    else
      words+=("$word")
    fi
  done
  word=${words[-1]}
  [[ $word == --*=* ]] && word=${word#*=}

  COMPREPLY=()
  while IFS=$'\t' read -r value help; do
    case $value in
      :files) files=1 extensions=$help ;;
      :folders) folders=1 ;;
      *) COMPREPLY+=("$value") ;;
    esac
  done < <("${COMP_WORDS[0]/#\~/$HOME}" complete -- "${words[@]}" 2>/dev/null)

  # Where nothing is found for a path, bash's own completion goes on.
  if [[ $folders || $files ]]; then
    compopt -o filenames
    local IFS=$'\n'
    COMPREPLY+=($(compgen -d -- "$word"))
    if [[ $files && ! $extensions ]]; then COMPREPLY+=($(compgen -f -- "$word")); fi
    local IFS=' '
    for value in $extensions; do
      local IFS=$'\n'
      COMPREPLY+=($(compgen -f -X "!*$value" -- "$word"))
    done
  else
    compopt +o default
  fi
}
complete -o default -F _whisper_s4y whisper-s4y
)bash";

constexpr std::string_view kZsh = R"zsh(#compdef whisper-s4y
# Completion of whisper-s4y for zsh.
_whisper_s4y() {
  local value help files extensions folders
  local -a values typed
  typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
  while IFS=$'\t' read -r value help; do
    case $value in
      :files) files=1 extensions=$help ;;
      :folders) folders=1 ;;
      *) values+=("${value//:/\\:}${help:+:$help}") ;;
    esac
  done < <("${(Q)words[1]/#\~/$HOME}" complete -- "${(@)typed}" 2>/dev/null)

  [[ $PREFIX == --*=* ]] && compset -P '*='
  if [[ $PREFIX == -* ]]; then
    _describe -o option values
  elif (( $#values )); then
    _describe value values
  fi
  if [[ -n $files && -n $extensions ]]; then
    _files -g "*${extensions// / *}"
  elif [[ -n $files ]]; then
    _files
  elif [[ -n $folders ]]; then
    _files -/
  fi
}
if [[ $funcstack[1] == _whisper-s4y ]]; then
  _whisper_s4y "$@"
else
  compdef _whisper_s4y whisper-s4y
fi
)zsh";

constexpr std::string_view kFish = R"fish(# Completion of whisper-s4y for fish.
function __whisper_s4y_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l flag (string match -r -- '^--[^=]+=' $current)
    set -l typed (string replace -r -- '^--[^=]+=' '' "$current")
    set -l program (string replace -r '^~' $HOME -- $words[1])
    for line in ($program complete -- $words[2..-1] "$current" 2>/dev/null)
        set -l parts (string split -m 1 \t -- $line)
        switch $parts[1]
            case ':files'
                set -l paths (__fish_complete_path "$typed")
                if test -n "$parts[2]"
                    # Folders too, for what lies in them.
                    set -l endings (string split ' ' -- $parts[2] | string escape --style=regex)
                    set paths (string match -r -- '^.*(?:/|'(string join '|' $endings)')(?:\t.*)?$' $paths)
                end
                printf '%s\n' "$flag"$paths
            case ':folders'
                printf '%s\n' "$flag"(__fish_complete_directories "$typed" '')
            case '*'
                printf '%s\n' "$flag$line"
        end
    end
end
complete -c whisper-s4y -f -a '(__whisper_s4y_complete)'
)fish";

constexpr CompletionScript kScripts[] = {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};

}  // namespace

std::span<const CompletionScript> completion_scripts() { return kScripts; }

}  // namespace whisper_s4y
