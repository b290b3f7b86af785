/** What the hub says of hosts and of their tokens. */

export interface Host {
  name: string;
  status: 'online' | 'silent';
  heard: 'agent' | 'heimdall' | 'lines';
  os_type: string | null;
  address: string | null;
  first_seen: string;
  last_seen: string;
  since: number;
  events: number;
  silent_after: number | null;
  watched: boolean;
  health: Health | null;
  agent: { name: string; version: string } | null;
}

export interface Health {
  time: string;
  cpu: number | null;
  memory: number | null;
  disk: number | null;
  disk_mount: string | null;
  spool: number | null;
  lag: number | null;
}

export interface HostDetails extends Host {
  details: Status | null;
  sources: { time: string; list: Source[] } | null;
}

export interface Source {
  name: string;
  state: string;
  detail: string;
  fix: string | null;
}

export interface Status {
  time: string;
  os: Record<'type' | 'name' | 'version' | 'kernel' | 'full' | 'architecture', string | null>;
  boot_time: string | null;
  uptime: number | null;
  cpu: { usage: number | null; cores: number | null; load: (number | null)[] };
  memory: { total: number | null; used: number | null; used_part: number | null };
  disks: { mount: string | null; type: string | null; total: number | null; used: number | null; used_part: number | null }[];
  networks: { name: string | null; address: string | null; received: number | null; sent: number | null }[];
  processes: { name: string | null; pid: number | null; user: string | null; cpu: number | null; memory: number | null }[];
}

export interface Token {
  id: number;
  kind: string;
  name: string;
  created: string;
  last_used: string | null;
  revoked: string | null;
}

export interface MadeToken extends Token {
  secret: string;
}

const SYSTEMS: Record<string, string> = {
  WINDOWS: 'Windows',
  LINUX: 'Linux',
  PIHOLE: 'Pi-hole',
  MACOS: 'macOS',
  FIREWALL: 'firewall',
};

export function systemName(system: string | null): string {
  return system ? (SYSTEMS[system] ?? system) : '';
}

/** How a host is heard. */
export const HEARD: Record<Host['heard'], string> = {
  agent: 'agent',
  heimdall: "Heimdall's agent",
  lines: 'its lines',
};

/** The line that connects a host; the token is made for that host. */
export function installLine(secret: string): string {
  return `curl -fsSL ${location.origin}/install.sh | sudo BERGFRIED_TOKEN=${secret} sh`;
}
