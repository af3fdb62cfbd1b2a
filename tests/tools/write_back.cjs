// node write_back.cjs URL CHANGES: a HAL client (ketting) starts at the root, follows templated links, reads whole resources, changes them and
// sends them back whole. CHANGES is JSON: [[method, path, change], …]. Exits with 1 where the node does not take that.
'use strict';
const assert = require('assert');
const { Client } = require('ketting');

async function main(url, changes) {
  const client = new Client(url);
  const root = await client.go('/').get();
  for (const link of root.links.getAll().filter((l) => l.templated)) {
    const collection = await client.follow(link.rel, { size: 1 });
    const page = await collection.get();
    assert.equal(page.data.page.size, 1, link.rel);
    assert.equal((await collection.followAll(link.rel)).length, 1, link.rel);
    const search = await (await collection.follow('search')).get();
    for (const finder of search.links.getAll().filter((l) => l.templated)) assert.match(finder.href, /\{\?.*page,size,sort\}$/, finder.rel);
  }
  for (const [method, path, change] of changes) {
    const resource = client.go(path);
    const state = await resource.get();
    Object.assign(state.data, change);
    if (method === 'PUT') await resource.put(state);
    else await resource.patch({ data: state.data, headers: state.contentHeaders(), serializeBody: () => state.serializeBody() });
    const now = await resource.refresh();
    for (const [name, value] of Object.entries(change)) assert.deepEqual(now.data[name], value, `${method} ${path} ${name}`);
  }
}

main(process.argv[2], JSON.parse(process.argv[3])).catch((error) => {
  console.log(error.stack);
  if (error.body) console.log(error.body);
  process.exit(1);
});
