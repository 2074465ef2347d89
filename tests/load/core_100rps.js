// The specification's load: 100 messages a second, in dialogs that go on, to a running deployment.
//
//   k6 run -e URL=http://127.0.0.1:8080 -e BOT_TOKEN=… tests/load/core_100rps.js
//
// PLUGIN_MS (0) is what the plugin takes that answers, and is taken off. DURATION is a minute. USERS
// (50) share the load: a bot may send 200 messages a second, each user 5.
import http from 'k6/http';
import { check, fail } from 'k6';
import { Trend } from 'k6/metrics';
import exec from 'k6/execution';

const BASE = __ENV.URL || 'http://127.0.0.1:8080';
const PLUGIN_MS = Number(__ENV.PLUGIN_MS || 0);
const USERS = Number(__ENV.USERS || 50);
const HEADERS = { 'X-Bot-Token': __ENV.BOT_TOKEN, 'Content-Type': 'application/json' };

const core = new Trend('core_ms', true);

export const options = {
  scenarios: {
    messages: {
      executor: 'constant-arrival-rate',
      rate: 100,
      timeUnit: '1s',
      duration: __ENV.DURATION || '1m',
      preAllocatedVUs: 100,
      maxVUs: 1000,
    },
  },
  thresholds: {
    core_ms: ['med<=500', 'p(95)<=1500'],
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
  },
};

function uuid() {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () =>
    Math.floor(Math.random() * 16).toString(16));
}

function post(path, body) {
  return http.post(`${BASE}${path}`, JSON.stringify(body), { headers: HEADERS });
}

// Users of this bot, each with a dialog.
export function setup() {
  const pairs = [];
  for (let number = 1; number <= USERS; number += 1) {
    const answer = post('/api/v1/users', {
      telegram_id: 814000 + number, display_name: `Load ${number}`, locale: 'en',
    });
    if (answer.status !== 200 && answer.status !== 201) {
      fail(`no user: ${answer.status} ${answer.body}`);
    }
    pairs.push({ user: answer.json('user_id'), dialog: uuid() });
  }
  return pairs;
}

export default function (pairs) {
  const number = exec.scenario.iterationInTest;
  const { user, dialog } = pairs[number % pairs.length];
  const answer = post(`/api/v1/dialogs/${dialog}/messages`, {
    user_id: user,
    message_id: uuid(),
    payload: { type: 'text', text: 'Hello!' },
  });
  core.add(answer.timings.duration - PLUGIN_MS);
  check(answer, {
    'answered by a plugin': (one) => one.status === 200 && one.json('status') === 'accepted',
  });
}
