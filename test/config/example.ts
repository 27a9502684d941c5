/** The example of the contract, with the sense it refers to without defining it, and `http`. */
export const CONTRACT_EXAMPLE = `data: ./data
durability: full
http: 127.0.0.1:4280
retention: { logs: 30d, signals: 30d, archive: 3650d }

groups:
  system: { memory: 256mb }

senses:
  cpu-usage:
    group: system
    throttle: 1s
    timeout: 10s
    grace_period: 5s
    with: { per_core: false }
  disk-root: { use: disk-usage, with: { path: / } }
  host-health:

reflexes:
  - { sense: cpu-usage, interval: 1s, on_start: true }
  - { sense: disk-root, cron: "*/5 * * * *", tz: Europe/Berlin, catch_up: one }
  - { sense: host-health, on: [cpu-usage, disk-root] }
  - name: page-on-critical
    workflow: page
    on: [host-health]
    when: { status: "'critical'" }
    for: 30s
    key: host
    throttle: 10m

# The command's braces are text, not variables.
workflows:
  page: { use: exec, with: { command: [/usr/bin/logger, --, "{{ payload.status }} on {{ payload.host }}"] }, concurrency: 1, overflow: queue, max_queue: 100, timeout: 10m, grace_period: 5s, retry: { limit: 3, interval: 5s, backoff: 2, max_interval: 5m } }
`;
