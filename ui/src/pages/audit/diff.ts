/** What differs between the states before and after a change, field by field. */

export type State = unknown;

export interface Change {
  name: string;
  before: string | undefined;
  after: string | undefined;
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One line for each field; a state that is no object is one line without a name. */
export function differences(before: State, after: State): Change[] {
  if (before === null && after === null) return [];
  const [was, is] = [before ?? {}, after ?? {}];
  if (!isObject(was) || !isObject(is)) {
    return [{ name: '', before: before === null ? undefined : shown(before), after: after === null ? undefined : shown(after) }];
  }
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  const text = (state: Record<string, unknown>, name: string) => {
    const value = Object.hasOwn(state, name) ? state[name] : undefined;
    return value === undefined || value === null ? undefined : shown(value);
  };
  const changes = names.map((name) => ({ name, before: text(was, name), after: text(is, name) }));
  return changes.filter((change) => change.before !== undefined || change.after !== undefined);
}
