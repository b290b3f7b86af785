/** The pages of the console, in the order of the menu. */

import type { Component } from 'svelte';

import type { Role } from '../lib/session.svelte';

export interface Page {
  /** The first part of the path below `/ui/`. */
  path: string;
  title: string;
  /** Struck after `g`. */
  key?: string;
  /** Who sees it in the menu; everyone where absent. */
  role?: Role;
  /** Where it stands in the menu; a page that is reached from others has none. */
  menu?: 'watch' | 'manage';
  load: () => Promise<{ default: Component }>;
}

export const PAGES: Page[] = [
  { path: 'overview', title: 'Overview', key: 'o', menu: 'watch', load: () => import('./overview/Overview.svelte') },
  { path: 'alerts', title: 'Alerts', key: 'a', menu: 'watch', load: () => import('./alerts/Alerts.svelte') },
  { path: 'investigate', title: 'Investigate', key: 'i', menu: 'watch', load: () => import('./investigate/Investigate.svelte') },
  { path: 'entity', title: 'Entity', load: () => import('./entity/Entity.svelte') },
  { path: 'story', title: 'Attack story', load: () => import('./story/Story.svelte') },
  { path: 'live', title: 'Live', key: 'l', menu: 'watch', load: () => import('./live/Live.svelte') },
  { path: 'hosts', title: 'Hosts', key: 'h', menu: 'watch', load: () => import('./hosts/Hosts.svelte') },
  { path: 'rules', title: 'Rules', key: 'r', menu: 'watch', load: () => import('./rules/Rules.svelte') },
  { path: 'welcome', title: 'First steps', load: () => import('./welcome/Welcome.svelte') },
  { path: 'heartbeats', title: 'Heartbeats', menu: 'manage', load: () => import('./heartbeats/Heartbeats.svelte') },
  { path: 'blackouts', title: 'Blackouts', menu: 'manage', load: () => import('./blackouts/Blackouts.svelte') },
  { path: 'exceptions', title: 'Exceptions', menu: 'manage', load: () => import('./exceptions/Exceptions.svelte') },
  { path: 'routes', title: 'Routes', menu: 'manage', load: () => import('./routes/Routes.svelte') },
  { path: 'collection', title: 'Collection', menu: 'manage', load: () => import('./collection/Collection.svelte') },
  { path: 'storage', title: 'Storage', menu: 'manage', load: () => import('./storage/Storage.svelte') },
  { path: 'users', title: 'Users', role: 'admin', menu: 'manage', load: () => import('./users/Users.svelte') },
  { path: 'keys', title: 'Keys', role: 'admin', menu: 'manage', load: () => import('./keys/Keys.svelte') },
  { path: 'audit', title: 'Audit trail', role: 'admin', menu: 'manage', load: () => import('./audit/Audit.svelte') },
  { path: 'settings', title: 'Settings', menu: 'manage', load: () => import('./settings/Settings.svelte') },
];

/** Where the console begins. */
export const FIRST = 'overview';
