/** The present, which moves on once a second while somebody looks at it. */

import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Milliseconds since the epoch; what reads it is worked out anew as time passes. */
export function present(): number {
  subscribe();
  return Date.now();
}
