/** What the hub says of the address, user or host that the address bar names, over the time that it names. */

import { get } from './api';
import { readKind, type Kind } from './entity';
import { route } from './route.svelte';
import { chosen, parameters, type Range } from './search/range';

/** Longer than a search: what is asked is who this is, not what happens now. */
const USUAL = '7d';

/** Made while a component is; asks until that goes. */
export class Asked<T> {
  /** What was said last; it stays in sight while another time is asked for. */
  said = $state.raw<T>();
  trouble = $state.raw<unknown>();
  readonly kind: Kind | undefined = $derived(readKind(route.parts[1]));
  readonly value: string = $derived(route.parts[2] ?? '');
  // A text, so that only another time is one.
  readonly #when = $derived(JSON.stringify(chosen(USUAL)));
  readonly range: Range = $derived(JSON.parse(this.#when) as Range);
  #again = $state(0);

  constructor(
    /** What of it, as the path of the API ends. */
    rest = '',
    /** Called whenever something else is asked for. */
    onask: () => void = () => undefined,
  ) {
    $effect(() => {
      void this.#again;
      if (!this.kind || !this.value) return;
      const stop = new AbortController();
      this.trouble = undefined;
      onask();
      const name = `entities/${this.kind}/${encodeURIComponent(this.value)}${rest}`;
      get<T>(name, parameters(this.range, ''), stop.signal).then(
        (answer) => (this.said = answer),
        (error: unknown) => {
          if (!stop.signal.aborted) [this.said, this.trouble] = [undefined, error];
        },
      );
      return () => stop.abort();
    });
  }

  ask = (): void => {
    this.#again += 1;
  };

  /** Looks at another time. */
  zoom = (to: Range): void => route.set(parameters(to, USUAL), true);
}
