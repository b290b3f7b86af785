/**
 * Where the person is: the path below `/ui/` and its parameters. The address bar holds the whole state
 * of a page, so that a link shows to others what one sees, and going back goes back.
 */

const BASE = '/ui/';

class Route {
  /** The path below the base, without slashes at its ends: `alerts/0f3c`. */
  path = $state('');
  parameters = $state.raw(new URLSearchParams());

  constructor() {
    this.#read();
    window.addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#followed(event));
  }

  /** Parts of the path, decoded. */
  get parts(): string[] {
    return this.path.split('/').map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  }

  /** A parameter; empty where it is not there. */
  get(name: string): string {
    return this.parameters.get(name) ?? '';
  }

  /** Changes parameters, and takes those away that are empty; `push` makes it a step to go back from. */
  set(changes: Record<string, string | number | null | undefined>, push = false): void {
    const next = new URLSearchParams(this.parameters);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === '') next.delete(name);
      else next.set(name, String(value));
    }
    this.#write(this.path, next, push);
  }

  /** Goes to another page. */
  go(path: string, parameters: Record<string, string> = {}): void {
    this.#write(path, new URLSearchParams(parameters), true);
    window.scrollTo(0, 0);
  }

  #write(path: string, parameters: URLSearchParams, push: boolean): void {
    const text = parameters.toString();
    const url = `${BASE}${path}${text ? `?${text}` : ''}`;
    if (push) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
    this.#read();
  }

  #read(): void {
    const inside = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : '';
    this.path = inside.replace(/\/+$/, '');
    this.parameters = new URLSearchParams(location.search);
  }

  /** Links within the console need no new page. */
  #followed(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(BASE) || link.hash) return;
    event.preventDefault();
    history.pushState(null, '', link.href);
    this.#read();
    window.scrollTo(0, 0);
  }
}

export const route = new Route();

/** The address of a page, for links. */
export function href(path: string, parameters: Record<string, string | number | undefined> = {}): string {
  const kept = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}
