/** What a worker's environment holds: an allow-list of the kernel's own, and what nerve adds. Secrets stay behind. */
const PASSED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  // Where the host's /proc and /sys are mounted in a container: `nerve/proc` reads them.
  "NERVE_PROC",
  "NERVE_SYS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Marks every process that descends from a worker of the kernel on this data directory. */
export const workerMarker = (data: string): string => `NERVE_DATA=${data}`;

export function workerEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  data: string,
  socket: string,
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: DEFAULT_PATH,
    NERVE_DATA: data,
    NERVE_SOCKET: socket,
    DO_NOT_TRACK: "1",
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
  };
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && (PASSED.includes(name) || name.startsWith("LC_"))) environment[name] = value;
  }
  return environment;
}
