/** What `GET /overview` answers. */

export type By = 'kind' | 'system' | 'host' | 'program';

export interface Overview {
  at: string;
  took_ms: number;
  events: {
    total: number;
    total_before: number;
    kinds: { name: string; count: number; before: number }[];
    systems: { kind: string; system: string; count: number }[];
    minutes: { by: By; from: string; series: { name: string; counts: number[] }[] };
    sources: { address: string; events: number; first_seen: string | null; country: string | null }[];
    blocked_domain: { domain: string; queries: number } | null;
  };
  alerts: {
    raised: number;
    raised_before: number;
    open: number;
    acknowledged: number;
    by_severity: Count[];
    tactics: { name: string; alerts: number; techniques: Count[] }[];
  };
  hosts: { known: number; online: number; silent: { name: string; last_seen: string }[] };
  ingest: { per_second: number; over_seconds: number; lag_seconds: number | null; newest: string | null };
  problems: string[];
}

export interface Count {
  name: string;
  count: number;
}

/** What happened, as people say it, and whether it is a threat by itself. */
const KINDS: Record<string, [string, boolean]> = {
  LOGIN_FAIL: ['failed logins', true],
  LOGIN_SUCCESS: ['logins', false],
  SUDO_ESCALATION: ['commands as another user', false],
  DNS_BLOCK: ['blocked DNS queries', true],
  CRITICAL_ERROR: ['critical errors', true],
  ACCOUNT_CREATE: ['accounts made', true],
  ACCOUNT_DELETE: ['accounts deleted', true],
  GROUP_ADD: ['added to groups', true],
  SERVICE_INSTALL: ['services installed', true],
  LOG_TAMPERING: ['logs tampered with', true],
  CONNECTION_BLOCKED: ['blocked connections', true],
  PORT_SCAN: ['port scans', true],
  PROCESS_EXEC: ['programs started', false],
  WEB_ATTACK: ['web attacks', true],
  SYSTEM_ALERT: ['reports of sensors', true],
};

const SYSTEMS: Record<string, string> = {
  WINDOWS: 'Windows',
  LINUX: 'Linux',
  PIHOLE: 'Pi-hole',
  MACOS: 'macOS',
  FIREWALL: 'firewalls',
};

export function kindName(kind: string): string {
  return KINDS[kind]?.[0] ?? kind;
}

export function isThreat(kind: string): boolean {
  return KINDS[kind]?.[1] ?? true;
}

export function systemName(system: string): string {
  return SYSTEMS[system] ?? system;
}

/** The enterprise tactics of MITRE ATT&CK in the order of the matrix, by the words of rules' tags. */
export const TACTICS: [string, string][] = [
  ['reconnaissance', 'Reconnaissance'],
  ['resource-development', 'Resource development'],
  ['initial-access', 'Initial access'],
  ['execution', 'Execution'],
  ['persistence', 'Persistence'],
  ['privilege-escalation', 'Privilege escalation'],
  ['stealth', 'Stealth'],
  ['defense-impairment', 'Defense impairment'],
  ['defense-evasion', 'Defense evasion'],
  ['credential-access', 'Credential access'],
  ['discovery', 'Discovery'],
  ['lateral-movement', 'Lateral movement'],
  ['collection', 'Collection'],
  ['command-and-control', 'Command and control'],
  ['exfiltration', 'Exfiltration'],
  ['impact', 'Impact'],
];

/** A value as the search language takes it. */
export function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}
