// The npm client of the Admin API, as it is: logs in, and changes a list and
// the origins of an app. Fails loudly on the first thing that is not as it
// should be.
'use strict';

const assert = require('node:assert/strict');
const api = require('atlas-app-services-admin-api');

const { FILTERD_URL, FILTERD_PUBLIC_KEY, FILTERD_PRIVATE_KEY, FILTERD_APP } = process.env;

async function main() {
  const basePath = `${FILTERD_URL}/api/admin/v3.0`;
  const open = new api.AdminApi(new api.Configuration({ basePath }));
  const login = await open.adminLogin('mongodb-cloud', {
    username: FILTERD_PUBLIC_KEY,
    apiKey: FILTERD_PRIVATE_KEY,
  });
  assert.equal(login.status, 200);
  const configuration = new api.Configuration({ basePath, accessToken: login.data.access_token });
  const profile = await new api.AdminApi(configuration).getAdminProfile();
  const group = profile.data.roles[0].group_id;

  const apps = await new api.AppsApi(configuration).adminListApplications(group);
  const app = apps.data.find((listed) => listed.name === FILTERD_APP)._id;
  const security = new api.SecurityApi(configuration);
  await changeList(security, group, app);
  await changeOrigins(security, group, app);
}

async function changeList(security, group, app) {
  const addresses = async () => {
    const list = await security.allowedIPAccessListGet(group, app);
    assert.equal(list.status, 200);
    return list.data.allowed_ips.map((entry) => entry.address);
  };
  const before = await addresses();
  const created = await security.allowedIPAccessListCreate(group, app, {
    address: '198.51.100.0/24',
    comment: 'office',
  });
  assert.equal(created.status, 201);
  assert.equal(created.data.comment, 'office');
  assert.deepEqual(await addresses(), [...before, '198.51.100.0/24']);
  const id = created.data._id;
  const updated = await security.allowedIPAccessListUpdate(group, app, id, {
    address: '203.0.113.7',
  });
  assert.equal(updated.status, 200);
  assert.deepEqual(await addresses(), [...before, '203.0.113.7']);
  const deleted = await security.allowedIPAccessListDelete(group, app, id);
  assert.equal(deleted.status, 204);
  assert.deepEqual(await addresses(), before);
}

async function changeOrigins(security, group, app) {
  const origins = ['https://a.example', 'http://localhost:8080'];
  const set = await security.adminSetAllowedRequestOrigins(group, app, origins);
  assert.equal(set.status, 204);
  const listed = await security.adminListAllowedRequestOrigins(group, app);
  assert.equal(listed.status, 200);
  assert.deepEqual(listed.data, origins);
}

main().then(
  () => console.log('all as it should be'),
  (error) => {
    const answer = error.response && JSON.stringify(error.response.data);
    console.error(error.stack, answer || '');
    process.exitCode = 1;
  },
);
