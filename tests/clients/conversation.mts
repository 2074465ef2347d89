// A whole conversation through the types that openapi-typescript made, over openapi-fetch.
// Prints what came of it as JSON.
import createClient from 'openapi-fetch';
import type { components, paths } from './botcore.js';

declare const process: { env: Record<string, string> };

type Problem = components['schemas']['Problem'];
type Message = components['schemas']['DialogMessageCreateV1'];

const client = createClient<paths>({
  baseUrl: process.env.BOTCORE_URL,
  headers: { 'X-Bot-Token': process.env.BOTCORE_BOT_TOKEN },
});

function given<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(`${answer.error?.code}: ${answer.error?.detail}`);
  return answer.data;
}

function problem(answer: { error?: Problem }): Problem {
  if (answer.error === undefined) throw new Error('this should have failed');
  return answer.error;
}

const person = { telegram_id: Number(process.env.TELEGRAM_ID), display_name: 'Ada' };
const users = [];
for (let turn = 0; turn < 2; turn++) {
  users.push(given(await client.POST('/api/v1/users', { body: person })));
}
const dialog_id = crypto.randomUUID();
const path = { dialog_id };
const { user_id } = users[0]!;
const body: Message = {
  user_id,
  message_id: 'first',
  payload: { type: 'text', text: 'Hello from TypeScript!' },
};
const say = (message: Message) =>
  client.POST('/api/v1/dialogs/{dialog_id}/messages', { params: { path }, body: message });
const read = (id: string) =>
  client.GET('/api/v1/dialogs/{dialog_id}', { params: { path: { dialog_id: id } } });

const first = await say(body);
const again = await say(body);
const stored = given(
  await client.GET('/api/v1/dialogs/{dialog_id}/messages/{message_id}', {
    params: { path: { dialog_id, message_id: 'first' } },
  }),
);
const snapshot = given(await read(dialog_id));
const reused = problem(
  await say({ ...body, payload: { type: 'text', text: 'Something else.' } }),
);
const reset = given(
  await client.POST('/api/v1/dialogs/{dialog_id}/reset', {
    params: { path },
    body: { user_id },
  }),
);
const emptied = given(await read(dialog_id));
const absent = await read(crypto.randomUUID());
const refused = problem(
  await client.POST('/api/v1/users', {
    body: { telegram_id: 0, display_name: '' },
  }),
);
const unknown: Problem = { ...problem(absent), code: 'not_yet_known' };

console.log(
  JSON.stringify({
    users: users.map((one) => one.status),
    answer: given(first).plugin_responses.map((one) => one.content),
    replayed: [first, again].map((one) => one.response.headers.get('Idempotency-Replayed')),
    same: JSON.stringify(first.data) === JSON.stringify(again.data),
    stored: JSON.stringify(stored) === JSON.stringify(first.data),
    history: snapshot.messages.map((one) => (one.payload.type === 'text' ? one.payload.text : '')),
    reused: reused.code,
    reset: reset.status,
    emptied: [emptied.dialog.reset_version, emptied.messages.length],
    absent: [absent.response.status, problem(absent).code],
    refused: (refused.errors ?? []).map((one) => one.pointer).sort(),
    unknown: unknown.code,
  }),
);
