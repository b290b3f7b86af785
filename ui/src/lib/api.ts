/**
 * The hub's API. Every call goes through here: the session's cookie is sent by the browser, the token
 * against forged requests by this.
 */

import { reach } from './reach.svelte';

/** A part of a text, by its bytes in UTF-8, and what is wrong with it. */
export interface Place {
  from: number;
  to: number;
  message: string;
}

/** An answer that is not what was asked for; `message` is the hub's own sentence. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The HTTP status; 0 where the hub did not answer. */
    readonly status: number,
    /** Which part of a search is at fault. */
    readonly place?: Place,
    /** Everything that the hub said. */
    readonly answer?: unknown,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

let csrf = '';
let whenSignedOut: () => void = () => undefined;

/** The token that goes with every change; the session's answer brings it. */
export function useCsrf(token: string): void {
  csrf = token;
}

/** Called where the hub no longer knows who is asking. */
export function onSignedOut(action: () => void): void {
  whenSignedOut = action;
}

/** A path of the native API with its parameters; empty ones are left out. */
export function path(name: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '' && value !== false) {
      parameters.set(key, String(value));
    }
  }
  const text = parameters.toString();
  return `/api/v1/${name}${text ? `?${text}` : ''}`;
}

async function send<T>(method: string, url: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-csrf-token'] = csrf;
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    reach.isLost = true;
    throw new ApiError('the hub does not answer', 0);
  }
  reach.isLost = false;
  const text = await response.text();
  let answer: unknown;
  try {
    answer = text ? JSON.parse(text) : undefined;
  } catch {
    throw new ApiError(`the hub gave an answer that cannot be read (${response.status})`, response.status);
  }
  if (!response.ok) {
    if (response.status === 401) whenSignedOut();
    const message = sentence(answer) ?? `the hub refused this (${response.status})`;
    throw new ApiError(message, response.status, (answer as { place?: Place } | undefined)?.place, answer);
  }
  return answer as T;
}

function sentence(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { error, message } = answer as { error?: unknown; message?: unknown };
  if (typeof message === 'string') return message;
  return typeof error === 'string' ? error : undefined;
}

/** Reads; a signal that is aborted ends the work at the hub too. */
export function get<T>(name: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return send('GET', path(name, query), undefined, signal);
}

export function post<T>(name: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  return send('POST', path(name), body, signal);
}

export function put<T>(name: string, body: unknown): Promise<T> {
  return send('PUT', path(name), body);
}

export function patch<T>(name: string, body: unknown): Promise<T> {
  return send('PATCH', path(name), body);
}

export function remove<T>(name: string): Promise<T> {
  return send('DELETE', path(name), undefined);
}

/** The answer to a question whose body is not read at once. */
async function answered(url: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('the hub does not answer', 0);
  }
  if (!response.ok || !response.body) {
    if (response.status === 401) whenSignedOut();
    const answer: unknown = await response.json().catch(() => undefined);
    throw new ApiError(sentence(answer) ?? `the hub refused this (${response.status})`, response.status);
  }
  return response;
}

/**
 * Reads a file whole, so that one that the hub refuses, or does not bring to its end, is none.
 *
 * @throws ApiError where that is so.
 */
export async function file(name: string, query: Query): Promise<Blob> {
  const response = await answered(path(name, query));
  try {
    return await response.blob();
  } catch {
    throw new ApiError('the hub ended the file early, its log says why', 0);
  }
}

/**
 * Reads a stream of JSON objects, one a line, until either side ends it.
 *
 * @throws ApiError where the hub refuses it, or cannot be reached.
 */
export async function follow(
  name: string,
  query: Query,
  signal: AbortSignal,
  onopen: () => void,
  onobject: (object: unknown) => void,
): Promise<void> {
  const { body } = await answered(path(name, query), signal);
  if (!body) return;
  onopen();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line) onobject(JSON.parse(line));
    }
  }
}

/** What went wrong, as a sentence for a person. */
export function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
