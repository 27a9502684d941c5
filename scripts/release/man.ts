/** nerve(1), from the list of verbs. */
import { SECTIONS } from "../../src/cli/verb.ts";
import { VERBS } from "../../src/cli/verbs.ts";

/** Text as roff takes it: a hyphen is one, and no line begins a request. */
const roff = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1");

const verbsOf = (section: string): string =>
  VERBS.filter((verb) => verb.section === section)
    .map(({ usage, summary }) => `.TP\n.B nerve ${roff(usage)}\n${roff(summary)}`)
    .join("\n");

const sections = Object.entries(SECTIONS)
  .map(([section, title]) => `.SS ${title}\n${verbsOf(section)}`)
  .join("\n");

export const manPage = (
  version: string,
  timeS: number,
): string => `.TH NERVE 1 "${new Date(timeS * 1000).toISOString().slice(0, 10)}" "nerve ${version}" "User Commands"
.SH NAME
nerve \\- an observation engine for one host
.SH SYNOPSIS
.B nerve
.RI [ verb ]
.RI [ argument ...]
.RB [ \\-c
.IR FILE ]
.br
.B nerve
.I nerve.yaml
.SH DESCRIPTION
nerve watches one host. Senses look at the host, reflexes decide, workflows act, and SQLite keeps all of it.
The argument of the second form is a config: nerve runs in the foreground and watches what the config names.
.PP
Every verb has
.B \\-\\-help
and
.BR \\-\\-json .
.SH COMMANDS
${sections}
.SH ENVIRONMENT
.TP
.B NERVE_CONFIG
the config of a verb that is given none; without it
.I ./nerve.yaml
.TP
.BR NERVE_PROC ", " NERVE_SYS
where the host's /proc and /sys are mounted, in a container
.SH FILES
.TP
.I /etc/nerve/nerve.yaml
the config of the service
.TP
.I /var/lib/nerve
what the service keeps
.SH EXIT STATUS
0 done; 1 a finding; 2 wrong usage or an unknown name; 3 no daemon; 70 a bug of nerve;
75 the data directory is in use; 78 a bad config or a damaged store.
`;
