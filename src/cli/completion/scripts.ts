/** Owns the scripts of `nerve completion`, one for each shell: a function that asks `nerve __complete` for the words that fit. */

/** This mark in place of a word means that files fit too. */
export const FILES = ":files";
/** Separates a word from its description. */
export const TAB = "\t";

/** The script takes the words from the line: bash has cut its own words at colons, as in `sense:NAME`. */
const BASH = String.raw`# bash completion for nerve: source <(nerve completion bash)
_nerve() {
  local words=() found=() word current prefix="" program
  read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]} - 1]}"
  program="\${words[0]/#\~/$HOME}"
  mapfile -t found < <("$program" __complete "\${words[@]:1}" 2>/dev/null)
  [[ "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]] && prefix="\${current%"\${current##*:}"}"
  COMPREPLY=()
  for word in "\${found[@]}"; do
    if [[ "$word" == ":files" ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
    else
      word="\${word%%$'\t'*}"
      COMPREPLY+=("\${word#"$prefix"}")
    fi
  done
}
complete -F _nerve nerve
`.replaceAll("\\$", "$");

const ZSH = String.raw`#compdef nerve
# zsh completion for nerve: source <(nerve completion zsh)
_nerve() {
  local -a found described
  local line program files=0
  program="\${words[1]/#\~/$HOME}"
  found=("\${(@f)$("$program" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${found[@]}"; do
    case "$line" in
      "") ;;
      :files) files=1 ;;
      *$'\t'*) described+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}") ;;
      *) described+=("\${line//:/\\:}") ;;
    esac
  done
  ((\${#described})) && _describe nerve described
  ((files)) && _files
  return 0
}
if [[ "\${funcstack[1]}" == _nerve ]]; then _nerve "$@"; else compdef _nerve nerve; fi
`.replaceAll("\\$", "$");

const FISH = `# fish completion for nerve: nerve completion fish | source
function __nerve_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    $words[1] __complete $words[2..-1] "$current" 2>/dev/null
end
complete -c nerve -f -a '(__nerve_complete | string match -v ":files")'
complete -c nerve -n '__nerve_complete | string match -q ":files"' -F
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS) as readonly Shell[];
